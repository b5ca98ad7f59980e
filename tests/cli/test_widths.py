"""At 60 and 80 columns, and in a pipe, every figure of every table stands there whole."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness import strategies
from harness.answer import quick_report
from harness.cli.commands import app
from harness.comparisons import report as shown_comparison
from harness.comparisons.judge import ComparisonRow
from harness.comparisons.result import Comparison, Side
from harness.console import terminal
from harness.hazards import catalogue
from harness.hazards import view as hazards
from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.inside.story import StoryEvent
from harness.lifecycles import metrics
from harness.lifecycles import report as measured
from harness.lifecycles.cell import DATAFRAMES
from harness.lifecycles.metrics import Table
from harness.lifecycles.profile import PROFILES
from harness.records.provenance import Provenance
from tests.support.command import in_terminal
from tests.support.measured import measured_run
from tests.support.results import few

WIDTHS = (60, 80)
PROVENANCE = Provenance("2.1.9", "2026-01-01", "a machine", "3.11", "psycopg2", "", "embedded-18.4-tcp-trust")
FURTHER = strategies.FURTHER_IDS[:9]
REASON = "fork_nodispose cannot share one TLS session between two processes, " + "and that is so " * 10


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    found: int = request.param
    monkeypatch.setenv("COLUMNS", str(found))
    return found


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    return lambda: capsys.readouterr().out


def table_lines(text: str, name: str) -> list[str]:
    return [line for line in text.splitlines() if re.match(rf"{re.escape(name)}( |$)", line)]


def stands_whole(text: str, name: str, cells: list[str], width: int) -> None:
    """Every cell is in a line that begins with its row's name, and between blanks."""
    lines = table_lines(text, name)
    assert lines, name
    assert max(map(len, lines)) <= width
    for cell in cells:
        assert any(re.search(rf" {re.escape(cell)}( |$)", line) for line in lines), (name, cell)


OWN = "tests.support.broken_strategies:HEALTHY"


def test_measure(width: int, output: Callable[[], str]) -> None:
    names = (*strategies.IDS, OWN)
    found = measured_run(names=names, settings=DATAFRAMES, reason=REASON)
    measured.write(found, names, DATAFRAMES, PROFILES["quick"], "table", found.server)
    text = output()
    for setting, part in zip(DATAFRAMES, text.split("dataframe large\n"), strict=True):
        for name in names:
            cells = measured.figures(found, measured.Cell(name, setting))
            assert cells == ["n/a"] * len(cells) if name == "fork_nodispose" else "±" in cells[0]
            title = strategies.label(name) + measured.star(name)
            stands_whole(part, title, cells, width)
    # The reason stands once, below the tables.
    below = " ".join(text[text.index("Medians") :].split())
    assert below.count(f"n/a: fork_nodispose (dataframe none, large): {REASON.strip()}") == 1


def test_the_quick_answer(width: int, output: Callable[[], str]) -> None:
    found = measured_run(settings=DATAFRAMES, reason=REASON)
    quick_report.write(found, PROFILES["quick"], "table", found.server)
    text = output()
    table = text.partition("Geometric means")[0]
    for name in strategies.IDS:
        cells = [
            quick_report.figure(found, measured.Cell(name, column.dataframe), column.metric.id)
            for column in metrics.summary_columns()
        ]
        stands_whole(table, name if strategies.get(name).safe else f"{name} *", cells, width)
    assert "Fork's conditions may not hold: forkserver_preload" in " ".join(text.split())
    # A strategy that is never recommended comes last.
    order = [name for line in table.splitlines() for name in strategies.IDS if line.startswith(f"{name} ")]
    assert order[len(strategies.IDS) - 1] == "fork_nodispose"


def verdict_of(hazard: str, strategy: str) -> Verdict:
    """Any, but always the same."""
    return list(Verdict)[(catalogue.IDS.index(hazard) + len(strategy)) % len(Verdict)]


@pytest.mark.parametrize("names", [strategies.IDS, strategies.IDS + FURTHER], ids=["six", "fifteen"])
def test_hazards(width: int, names: tuple[str, ...], output: Callable[[], str]) -> None:
    view = hazards.VerdictView(catalogue.load_all(), names)
    outcomes = [
        Outcome(hazard, name, verdict_of(hazard, name), REASON) for hazard in catalogue.IDS for name in names
    ]
    for outcome in outcomes:
        view.tally.add(outcome)
    hazards.write(view, outcomes, PROVENANCE, [])
    text = output()
    for hazard in catalogue.IDS:
        lines = table_lines(text, hazard)
        assert max(map(len, lines)) <= width
        cells = re.findall(r"n/a|no result|not tried here|\S+", " ".join(lines).replace(hazard, ""))
        assert cells == [verdict_of(hazard, name) for name in names]


def test_six_strategies_have_words_in_a_terminal_of_the_usual_width() -> None:
    view = hazards.VerdictView(catalogue.load_all(), strategies.IDS)
    for hazard in catalogue.IDS:
        for name in strategies.IDS:
            view.tally.add(Outcome(hazard, name, Verdict.SURVIVES))
    assert len(terminal.bands(*view.words(), 80, gap=1)) == 1


@pytest.mark.parametrize(
    ("expected", "surprise"),
    [
        (
            {},
            "not recorded: record it with `poolstart record hazards`; too many clients Every row was right.",
        ),
        ({("interleaved", "nullpool"): Verdict.SURVIVES}, "survives; too many clients"),
    ],
)
def test_trials_that_disagree_are_a_surprise_with_what_their_user_read(
    expected: dict[tuple[str, str], Verdict], surprise: str
) -> None:
    view = hazards.VerdictView(catalogue.load_all(), strategies.IDS)
    for verdict, read in ((Verdict.AFFECTED, "too many clients"), (Verdict.SURVIVES, "Every row was right.")):
        story = (StoryEvent("parent", "Asks."), StoryEvent("user", read))
        view.tally.add(Outcome("interleaved", "nullpool", verdict, story=story))
    assert view.tally.surprises(expected) == [
        f"interleaved under nullpool: affected (1 of 2) and survives (1 of 2), expected {surprise}"
    ]


def test_compare(width: int, output: Callable[[], str]) -> None:
    sides = [Side(name, name, Path("python"), ("spawn",)) for name in ("2.0.58", "2.1.9")]
    rows = [
        ComparisonRow(
            *(metric, "forkserver_preload", "none", 10, 0.1234, 0.2345, 1.9012, 1.8001, 2.0034, 0),
            *("cannot tell", 0.03, 0.123),
        )
        for metric in (shown.id for shown in metrics.shown_in(Table.COMPARISON))
    ]
    shown_comparison.write(
        Comparison(*sides, tuple(rows), 0, 1.0, [], [], ()), ("none",), "table", "a server"
    )
    text = output()
    for cells in map(shown_comparison.cells, rows):
        stands_whole(text, str(cells[0]), [str(cell) for cell in cells[1:]], width)


def test_a_terminal_shows_what_a_pipe_gets(tmp_path: Path) -> None:
    """End to end, by the width of a real terminal; colours are a terminal's alone."""
    few(tmp_path / "results")
    command = ("results", "--results", str(tmp_path / "results"))
    pipe = CliRunner().invoke(app, command)
    assert pipe.stderr == ""
    assert "\x1b" not in pipe.stdout
    figures = sorted(re.findall(r"\d[\d.]* ±[\d.]+", pipe.stdout))
    assert figures
    shown = in_terminal(WIDTHS[0], *command)
    assert "\x1b[" in shown
    bare = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert max(map(len, bare.splitlines())) <= WIDTHS[0]
    assert sorted(re.findall(r"\d[\d.]* ±[\d.]+", bare)) == figures

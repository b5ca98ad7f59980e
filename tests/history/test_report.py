"""Changes in the terminal: first a line for each release, which names the releases of all tables."""

import re

import pytest

from harness.history import report
from harness.history.changes import Changes, CountChange
from harness.history.paired import PairedChange
from harness.instructions.count import PHASES, Build
from harness.instructions.table import InstructionsRow, InstructionsTable


def change(release: str, metric: str, ratio: float) -> PairedChange:
    return PairedChange(
        "1.4.54", release, metric, "spawn", "none", ratio, ratio - 0.01, ratio + 0.01, 1e-9, 20, 0.01, "here"
    )


PAIRED = (change("2.0.0", "startup", 1.2), change("2.0.0", "engine", 1.1), change("2.0.1", "uss", 0.9))

FOUND = Changes(
    PAIRED,
    (CountChange("1.4.54", "2.0.0", "modules", "spawn", "modules", 100, 105),),
    minor=3,
    open=(("2.0.30", "2.0.34"),),
    decided=PAIRED,
)


def printed(
    capsys: pytest.CaptureFixture[str], form: str = "table", counted: InstructionsTable | None = None
) -> str:
    report.write(FOUND, form, counted)
    return capsys.readouterr().out


def test_it_begins_with_a_line_for_each_release(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        line.split() for line in printed(capsys).partition("\n\n")[0].splitlines() if re.match(r"\d", line)
    ]
    assert [" ".join(line) for line in lines] == [
        "2.0.0 +10.0 % to +20.0 % +5.0 %",
        "2.0.1 \N{MINUS SIGN}10.0 %",
    ]


def counted(release: str, start: int, second_query: int = 400_000) -> InstructionsRow:
    phases = {**dict.fromkeys(PHASES, 1_000_000), "start": start, "second_query": second_query}
    return InstructionsRow(release, phases, dict.fromkeys(PHASES, 0), True)


def test_a_line_has_the_instructions_too_and_names_a_release_of_which_nothing_else_is_known_yet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = (
        counted("1.4.54", 800_000_000),
        counted("2.0.0", 880_000_000),
        counted("2.0.2", 880_000_000, second_query=410_000),
        counted("2.1.10", 900_000_000),
    )
    table = InstructionsTable(Build("1", "", "", "", "", "", ""), rows)
    text = printed(capsys, counted=table)
    lines = [line.split() for line in text.partition("\n\n")[0].splitlines() if re.match(r"\d", line)]
    assert [line[0] for line in lines] == ["2.0.0", "2.0.1", "2.1.10"]
    assert lines[0][1:3] == ["+10.0", "%"]
    assert lines[2] == ["2.1.10", "+2.3", "%"]
    assert "the instructions of one phase, changed in 2.0.2." in " ".join(text.split())


def test_a_change_without_a_release_is_named_with_what_finds_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert "2.0.30 and 2.0.34 differ; `poolstart record changes`" in " ".join(printed(capsys).split())


def test_csv_has_a_row_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    header, *rows = printed(capsys, "csv").splitlines()
    assert tuple(header.split(",")) == report.COLUMNS
    assert len(rows) == 4
    assert rows[0].startswith("2.0.0,1.4.54,startup,spawn,none,seconds,1.2,")
    assert rows[-1].startswith("2.0.0,1.4.54,modules,spawn,none,modules,1.05,1.05,1.05,,")


def test_more_scatter_hides_larger_changes() -> None:
    wide = PairedChange("1.4.54", "2.0.2", "engine", "spawn", "none", 1.0, 0.95, 1.05, 0.5, 20, 0.01, "here")
    (low, high) = report.detectable([*PAIRED, wide])["engine"]
    assert low == high > report.detectable(PAIRED)["engine"][1]

"""What a comparison prints before and after its figures."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.comparisons import exact, report
from harness.comparisons.exact import ExactRow
from harness.comparisons.judge import ComparisonRow
from harness.comparisons.result import Comparison, Side
from harness.instructions.count import PHASES
from harness.instructions.table import InstructionsRow
from harness.postgres.server import Server
from harness.processes.errors import ChecksFailed, NotApplicable


def comparison(before: str, after: str) -> Comparison:
    first, second = (Side(release, release, Path("python"), ("spawn",)) for release in (before, after))
    return Comparison(first, second, (), 0, 1.0, [], [], ())


def printed(capsys: pytest.CaptureFixture[str], before: str, after: str, form: str) -> str:
    report.write(comparison(before, after), ["none"], form, "a server")
    return capsys.readouterr().out


def test_a_comparison_of_2_0_with_2_1_first_says_which_driver_a_url_means(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = " ".join(printed(capsys, "2.0.58", "2.1.9", "table").split())
    assert text.startswith("note: From SQLAlchemy 2.1 on, postgresql:// means psycopg 3")
    assert "psycopg 3" in json.loads(printed(capsys, "2.1.9", "2.0.58", "json"))["upgrade"]
    assert "psycopg 3" not in printed(capsys, "2.1.8", "2.1.9", "table")
    assert json.loads(printed(capsys, "1.4.54", "2.0.58", "json"))["upgrade"] == ""


SLOWER = ComparisonRow("startup", "spawn", "none", 10, 0.1, 0.2, 2.0, 1.9, 2.1, 0.0, "slower", 0.03, 0.1)


def test_on_a_busy_machine_it_says_so_first_and_has_no_verdicts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    idle = replace(comparison("2.1.8", "2.1.9"), rows=(SLOWER,))
    report.write(idle.concluded(), ["none"], "table", "a server")
    assert idle.status == 1
    assert " slower " in capsys.readouterr().out
    busy = replace(idle, busy="tasks waited for a processor in 99% of the time").concluded()
    report.write(busy, ["none"], "table", "a server")
    text = capsys.readouterr().out
    assert text.startswith("busy: tasks waited for a processor in 99% of the time. Nothing can be concluded")
    assert " slower " not in text.partition("Medians")[0]
    assert "cannot tell" in text
    assert busy.status == 3
    report.write(busy, ["none"], "json", "a server")
    parsed = json.loads(capsys.readouterr().out)
    assert next(iter(parsed)) == "busy"
    assert {row["outcome"] for row in parsed["rows"]} == {"undecided"}


def instructions_row(release: str, **phases: int) -> InstructionsRow:
    usual = {"start": 800_000_000, "engine": 170_000_000, "first_query": 4_000_000, "second_query": 390_000}
    return InstructionsRow(release, usual | phases, dict.fromkeys(PHASES, 0), True)


COUNTED = tuple(
    exact.of_rows("spawn", instructions_row("2.1.8"), instructions_row("2.1.9", start=816_000_000))
)


def test_instructions_are_exact_and_have_a_verdict_although_the_machine_was_busy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    busy = replace(comparison("2.1.8", "2.1.9"), rows=(SLOWER,), busy="tasks waited", exact=COUNTED)
    report.write(busy.concluded(), ["none"], "table", "a server")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["spawn", "800.00", "816.00", "1.0200", "exact", "slower"] in lines
    assert ["spawn", "170.00", "170.00", "1.0000", "exact", "same"] in lines
    report.write(busy.concluded(), ["none"], "json", "a server")
    rows = {row["metric"]: row for row in json.loads(capsys.readouterr().out)["exact"]}
    assert (rows["instructions_start"]["ratio"], rows["instructions_start"]["verdict"]) == (1.02, "slower")


def test_a_comparison_fails_where_instructions_grow_by_more_than_is_tolerated() -> None:
    counted = replace(comparison("2.1.8", "2.1.9"), exact=COUNTED)
    tolerant = replace(counted, tolerate=0.025)
    assert replace(counted, tolerate=0.015).worse
    assert not tolerant.worse
    assert not replace(comparison("2.1.8", "2.1.9"), tolerate=0).worse
    # Exact, and so decided on a busy machine as well.
    assert replace(counted, tolerate=0.015, rows=(SLOWER,), busy="tasks waited").concluded().status == 1


def test_csv_has_a_row_for_each_phase_that_was_counted(capsys: pytest.CaptureFixture[str]) -> None:
    counted = replace(comparison("2.1.8", "2.1.9"), exact=COUNTED, tolerate=0.015)
    report.write(counted, ["none"], "csv", "a server")
    found = {row["metric"]: row for row in csv.DictReader(capsys.readouterr().out.splitlines())}
    assert found["instructions_start"]["ratio"] == "1.02"
    assert found["instructions_start"]["outcome"] == "worse"
    assert found["instructions_engine"]["outcome"] == "passed"


MORE_STATEMENTS = (
    ExactRow("modules", "modules", "spawn", 229, 230, "more"),
    ExactRow("statements_first_query", "statements", "spawn", 12, 13, "more"),
)


def test_counts_that_grow_by_more_than_is_tolerated_fail_and_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    counted = replace(comparison("2.1.8", "2.1.9"), exact=MORE_STATEMENTS)
    assert counted.status == 1
    assert replace(counted, tolerate=0.1).status == 2  # nothing was measured
    report.write(counted, ["none"], "table", "a server")
    text = " ".join(capsys.readouterr().out.split())
    assert "229 230 1.0044 exact more" in text
    assert "Worse by more than is tolerated: statements first query of spawn from 12 to 13." in text
    assert "No figure is certainly worse" not in text
    report.write(counted, ["none"], "csv", "a server")
    found = {row["metric"]: row for row in csv.DictReader(capsys.readouterr().out.splitlines())}
    assert (found["modules"]["outcome"], found["statements_first_query"]["outcome"]) == ("passed", "worse")


SERVER = Server("external", "postgresql://localhost", "18.4", "tcp", "trust")


def test_strategies_that_do_not_spawn_are_not_counted() -> None:
    forked = replace(comparison("2.1.8", "2.1.9").first, strategies=("fork_dispose", "forkserver"))
    assert list(exact.instructions(forked, forked, SERVER, print)) == []


@pytest.mark.parametrize(
    ("error", "reasons", "failed"),
    [(NotApplicable("no valgrind"), ["no valgrind"], []), (ChecksFailed("no row"), [], ["no row"])],
)
def test_what_cannot_be_counted_is_reported_with_its_reason(
    error: Exception, reasons: list[str], failed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(exact, "count_instructions", count)
    monkeypatch.setattr(exact, "counts", lambda *_: ([*MORE_STATEMENTS], []))
    side = comparison("2.1.8", "2.1.9").first
    assert exact.both(side, side, SERVER, print) == ([*MORE_STATEMENTS], reasons, failed)


@pytest.mark.parametrize(
    ("row", "sentences"),
    [
        (SLOWER, ["Worse by more than is tolerated: startup of spawn +100.0 %."]),
        (
            replace(SLOWER, verdict="cannot tell", ratio=1.02, low=0.9, high=1.1),
            [
                "Undecided: startup of spawn +2.0 %; more --minutes may decide it.",
                "No figure is certainly worse",
            ],
        ),
        (
            replace(SLOWER, verdict="same", ratio=1.0, low=0.99, high=1.01),
            ["No figure is certainly worse by more than is tolerated."],
        ),
        (replace(SLOWER, pairs=2), ["1 of 1 figures have fewer than the 6 pairs that a verdict needs"]),
    ],
)
def test_it_concludes_what_is_worse_what_is_undecided_and_what_it_could_have_found(
    capsys: pytest.CaptureFixture[str], row: ComparisonRow, sentences: list[str]
) -> None:
    report.write(replace(comparison("2.1.8", "2.1.9"), rows=(row,)), ["none"], "table", "a server")
    text = capsys.readouterr().out
    assert all(sentence in text for sentence in sentences)
    assert ("Detectable: from startup of spawn +10.0 %." in text) == (row.pairs >= 6)

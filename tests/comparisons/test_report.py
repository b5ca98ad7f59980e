"""What a comparison prints before and after its figures."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.comparisons import instructions, report
from harness.comparisons.compare import Comparison, Side
from harness.comparisons.instructions import InstructionsComparison, count_sides
from harness.comparisons.judge import ComparisonRow
from harness.instructions.count import PHASES
from harness.instructions.table import InstructionsRow
from harness.postgres.server import Server
from harness.processes.errors import ChecksFailed, NotApplicable


def comparison(before: str, after: str) -> Comparison:
    first, second = (Side(release, release, Path("python"), ("spawn",)) for release in (before, after))
    return Comparison(first, second, (), 0, 1.0, [], [], ())


def printed(capsys: pytest.CaptureFixture[str], before: str, after: str, form: str) -> str:
    report.write(comparison(before, after), ["none"], form)
    return capsys.readouterr().out


def test_a_comparison_of_2_0_with_2_1_first_says_which_driver_a_url_means(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = " ".join(printed(capsys, "2.0.58", "2.1.9", "table").split())
    assert text.startswith("note: From SQLAlchemy 2.1 on, postgresql:// means psycopg 3")
    assert "psycopg 3" in json.loads(printed(capsys, "2.1.9", "2.0.58", "json"))["upgrade"]
    assert "psycopg 3" not in printed(capsys, "2.1.8", "2.1.9", "table")
    assert json.loads(printed(capsys, "1.4.54", "2.0.58", "json"))["upgrade"] == ""


SLOWER = ComparisonRow("startup", "spawn", "none", 10, 0.1, 0.2, 2.0, 1.9, 2.1, 0.0, "slower")


def test_on_a_busy_machine_it_says_so_first_and_has_no_verdicts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    idle = replace(comparison("2.1.8", "2.1.9"), rows=(SLOWER,))
    report.write(idle.concluded(), ["none"], "table")
    assert " slower\n" in capsys.readouterr().out
    busy = replace(idle, busy="tasks waited for a processor in 99% of the time").concluded()
    report.write(busy, ["none"], "table")
    text = capsys.readouterr().out
    assert text.startswith("busy: tasks waited for a processor in 99% of the time. Nothing can be concluded")
    assert " slower\n" not in text
    assert "cannot tell" in text
    assert not any(row.worse(0.03) for row in busy.rows)
    report.write(busy, ["none"], "json")
    assert next(iter(json.loads(capsys.readouterr().out))) == "busy"


def instructions_row(release: str, **phases: int) -> InstructionsRow:
    usual = {"start": 800_000_000, "engine": 170_000_000, "first_query": 4_000_000, "second_query": 390_000}
    return InstructionsRow(release, usual | phases, dict.fromkeys(PHASES, 0), True)


COUNTED = InstructionsComparison(
    "spawn", instructions_row("2.1.8"), instructions_row("2.1.9", start=816_000_000)
)


def test_instructions_are_exact_and_have_a_verdict_although_the_machine_was_busy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    busy = replace(comparison("2.1.8", "2.1.9"), rows=(SLOWER,), busy="tasks waited", instructions=(COUNTED,))
    report.write(busy.concluded(), ["none"], "table")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["start", "800.00", "816.00", "1.0200", "exact", "slower"] in lines
    assert ["engine", "170.00", "170.00", "1.0000", "exact", "same"] in lines
    report.write(busy.concluded(), ["none"], "json")
    [counted] = json.loads(capsys.readouterr().out)["instructions"]
    assert counted["phases"]["start"]["ratio"] == 1.02
    assert counted["phases"]["start"]["verdict"] == "slower"


def test_a_comparison_fails_where_instructions_grow_by_more_than_is_tolerated() -> None:
    counted = replace(comparison("2.1.8", "2.1.9"), instructions=(COUNTED,))
    assert counted.worse(0.015)
    assert not counted.worse(0.025)
    assert not replace(comparison("2.1.8", "2.1.9")).worse(0)


SERVER = Server("external", "postgresql://localhost", "18.4", "tcp", "trust")


def test_strategies_that_do_not_spawn_are_not_counted() -> None:
    forked = replace(comparison("2.1.8", "2.1.9").first, strategies=("fork_dispose", "forkserver"))
    assert count_sides(forked, forked, SERVER, print) == []


@pytest.mark.parametrize(
    ("error", "where"),
    [(NotApplicable("no valgrind"), "not_applicable"), (ChecksFailed("no row"), "rejected")],
)
def test_what_cannot_be_counted_is_reported_with_its_reason(
    error: Exception, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(instructions, "count", count)
    compared = comparison("2.1.8", "2.1.9").with_instructions(SERVER, print)
    assert getattr(compared, where) == [str(error)]
    assert compared.instructions == ()

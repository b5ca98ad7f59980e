"""The record of the doctor: what is as expected and what a false alarm, how rows merge, what pages show."""

from dataclasses import replace

import pytest

from harness.doctor.proof import record, report
from harness.doctor.proof.record import DoctorRecord, Expected, LookFigures
from harness.records.provenance import Provenance

SHARED = Expected("shared_socket", ("certain", "proven"))
LOCK = Expected("inherited_lock", ("risk",))
BEFORE, AFTER = Provenance("2.1.9", "2026-11-25"), Provenance("2.1.9", "2026-11-28")


@pytest.mark.parametrize(
    ("expected", "found", "right", "accused"),
    [
        (SHARED, [["shared_socket", "proven"]], 1, 0),
        (SHARED, [["parent_closed", "certain"], ["shared_socket", "certain"]], 1, 0),
        (SHARED, [["shared_socket", "risk"]], 0, 0),
        (SHARED, [], 0, 0),
        (LOCK, [["inherited_lock", "risk"]], 1, 0),
        (LOCK, [["inherited_lock", "proven"]], 0, 0),
        (Expected(), [], 1, 0),
        (Expected(), [["shared_socket", "proven"]], 0, 1),
        (Expected(), [["pool_lock", "risk"]], 0, 0),
        (Expected("", ("risk",)), [["pool_lock", "risk"]], 1, 0),
        (Expected("", ("risk",)), [], 1, 0),
    ],
)
def test_what_is_as_expected_and_what_is_a_false_alarm(
    expected: Expected, found: list[list[str]], right: int, accused: int
) -> None:
    look = LookFigures(expected).plus(found)
    assert (look.runs, look.as_expected, look.accused) == (1, right, accused)


def found(look: LookFigures | None) -> list[list[str]]:
    """What is to be found."""
    return [[look.expected.hazard, each] for each in look.expected.certainties[:1]] if look else []


def figures(provenance: Provenance, *names: str, runs: int = 2) -> DoctorRecord:
    """Of these programs, found and cleared each time."""
    rows = [
        record.add(row, [{"outside": found(row.outside), "command": found(row.command)}] * runs)
        for row in record.programs()
        if row.name in names
    ]
    return DoctorRecord(provenance, 1, tuple(rows))


def test_a_program_that_is_recorded_later_has_its_own_provenance() -> None:
    merged = record.merge(figures(BEFORE, "fork", "pool", "idle_pool"), figures(AFTER, "pool", runs=3))
    assert (merged.provenance, merged.later) == (BEFORE, {"pool": AFTER})
    assert [(row.name, row.runs) for row in merged.rows[::2]] == [("fork", 2), ("pool", 3), ("idle_pool", 2)]


def test_a_program_that_could_not_be_looked_at_does_not_count() -> None:
    [row, _] = figures(BEFORE, "fork").rows
    added = record.add(row, [{"outside": None, "command": []}])
    assert added.outside == row.outside
    assert added.command
    assert (added.command.runs, added.command.as_expected) == (3, 2)


def test_each_program_is_recorded_once_in_each_variant() -> None:
    rows = [(row.victim, row.variant) for row in record.programs()]
    assert len(rows) == len(set(rows))
    assert len(record.names()) == len({row.victim for row in record.programs()}) - 1 + len(record.HEALTHY)


def test_the_page_says_how_often_each_was_found_and_healthy_ones_were_accused() -> None:
    content = figures(BEFORE, "fork", "closed", "idle_pool", "gunicorn_preload")
    text = report.text(content)
    assert "| [shared_socket](hazards.md#shared_socket) | certain or proven, 2 of 2 |" in text
    assert "False alarms: 0 of 16 looks at 4 programs, fixed or healthy" in text
    assert "Not as expected" not in text


def test_the_page_names_what_was_missed() -> None:
    content = figures(BEFORE, "fork")
    [broken, fixed] = content.rows
    missed = record.add(broken, [{"outside": [], "command": [["shared_socket", "certain"]]}])
    text = report.text(replace(content, rows=(missed, fixed)))
    assert "Not as expected: `fork`: 2 of 3 at a PID." in text

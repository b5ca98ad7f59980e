"""Programs are recorded one by one: each row states its own provenance."""

from harness.programs.figures import HookRuns, ProgramFigures, ProgramsTable, WithoutHook
from harness.programs.recorder import merge
from harness.records.provenance import Provenance

BEFORE, AFTER = Provenance("2.1.9", "2026-11-26"), Provenance("2.1.9", "2026-11-28")


def row(name: str, hosts: int = 1, seconds: float = 0.1) -> ProgramFigures:
    return ProgramFigures(
        name, (), (seconds,), (1,), WithoutHook("own", 2), HookRuns(2, 2, 2), None, hosts=hosts
    )


def test_a_program_that_is_measured_later_has_its_own_provenance() -> None:
    on_record = ProgramsTable(BEFORE, 3, (row("celery"), row("rq"), row("celery", hosts=2)))
    measured = ProgramsTable(AFTER, 3, (row("celery", seconds=0.2), row("celery", hosts=2, seconds=0.2)))
    merged = merge(on_record, measured)
    assert (merged.provenance, merged.later) == (BEFORE, {"celery": AFTER, "celery, 2 hosts": AFTER})
    assert [(each.title, each.first_row) for each in merged.programs] == [
        ("celery", (0.2,)),
        ("rq", (0.1,)),
        ("celery, 2 hosts", (0.2,)),
    ]


def test_a_new_program_joins_the_others() -> None:
    merged = merge(ProgramsTable(BEFORE, 3, (row("rq"),)), ProgramsTable(AFTER, 3, (row("celery"),)))
    assert [each.name for each in merged.programs] == ["celery", "rq"]
    assert merged.later == {"celery": AFTER}


def test_all_programs_replace_those_on_record() -> None:
    measured = ProgramsTable(AFTER, 3, (row("celery"), row("rq")))
    assert merge(ProgramsTable(BEFORE, 3, (row("rq"),)), measured) == measured

"""A release that executes more or fewer instructions is found at once, with what it does differently."""

import json

import pytest
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.instructions import report, table
from harness.instructions.count import PHASES, REST, Build
from harness.instructions.recorder import checked
from harness.instructions.table import InstructionsCauses, InstructionsRow, InstructionsTable
from harness.system.errors import PoolstartError

BUILD = Build("1", "3.11.7", "glibc 2.36", "x86_64 avx2", "3.19.0", "2.9.13", "embedded-18.4-tcp-trust")

USUAL = {"start": 800_000_000, "engine": 170_000_000, "first_query": 4_000_000, "second_query": 390_000}


def row(release, **phases):
    return InstructionsRow(release, USUAL | phases, dict.fromkeys(PHASES, 0), True)


def record(*rows, causes=()):
    return InstructionsTable(BUILD, rows, causes)


@pytest.fixture
def own_record(monkeypatch, tmp_path):
    monkeypatch.setattr(table, "PATH", tmp_path / "instructions.json")


def test_a_change_of_the_newest_release_is_found_at_it():
    rows = [row("2.1.7"), row("2.1.8"), row("2.1.9", start=808_000_000)]
    [change] = table.changes(rows)
    assert (change.before.release, change.after.release) == ("2.1.8", "2.1.9")
    assert change.phases == (table.TOTAL, "start")
    assert change.ratio("start") == pytest.approx(1.01)


def test_fewer_instructions_are_a_change_too():
    [change] = table.changes([row("2.1.8"), row("2.1.9", engine=160_000_000)])
    assert change.ratio("engine") < 1


@pytest.mark.parametrize(
    ("phase", "instructions"),
    [("start", 803_900_000), ("engine", 170_800_000), ("first_query", 4_019_000), ("second_query", 393_900)],
)
def test_a_change_of_half_a_per_cent_or_of_four_thousand_instructions_is_none(phase, instructions):
    assert table.changes([row("2.1.8"), row("2.1.9", **{phase: instructions})]) == []


def test_a_small_phase_is_reported_although_the_sum_hardly_moves():
    [change] = table.changes([row("2.1.8"), row("2.1.9", second_query=400_000)])
    assert change.phases == ("second_query",)


CAUSES = InstructionsCauses(
    before="2.1.8",
    after="2.1.9",
    modules={
        "start": (
            ("sqlalchemy.new", 0, 7_000_000),
            ("sqlalchemy.sql.base", 5_000_000, 7_500_000),
            ("sqlalchemy.old", 1_500_000, 0),
            (REST, 100, 200),
        ),
        "engine": (),
        "first_query": ((REST, 1, 2),),
        "second_query": (),
    },
    functions=dict.fromkeys(PHASES, (("_Py_dict_lookup", 1_000_000, 3_000_000),)),
    calls={"first_query": (("sqlalchemy.pool.base:_checkout", 1, 3),), "second_query": ()},
)


def test_a_change_names_the_modules_and_functions_that_cause_it():
    changed = row("2.1.9", start=808_000_000, first_query=4_400_000)
    [explained] = report.explained(record(row("2.1.8"), changed, causes=(CAUSES,)))
    assert explained.causes == (
        "start +1.0 %: imports `sqlalchemy.new` (+7.0 M); no longer imports `sqlalchemy.old` (-1.5 M); "
        "changed imports: `sqlalchemy.sql.base` (+2.5 M); in C functions `_Py_dict_lookup` (+2.0 M)",
        "first query +10.0 %: calls `sqlalchemy.pool.base:_checkout` (+2); "
        "in C functions `_Py_dict_lookup` (+2.0 M)",
    )


def test_causes_are_those_of_the_same_two_releases():
    [explained] = report.explained(record(row("2.1.7"), row("2.1.9", start=808_000_000), causes=(CAUSES,)))
    assert explained.causes == ("causes are not on record: `poolstart record instructions` looks for them",)


@pytest.mark.usefixtures("own_record")
def test_the_command_shows_a_line_for_each_release():
    saved = record(row("2.1.8"), row("2.1.9", start=808_000_000), causes=(CAUSES,))
    saved.save()
    lines = CliRunner().invoke(app, ["changes"]).stdout.splitlines()
    release, cause = (line for line in lines if line.startswith("2.1.9 "))
    assert release.split()[1:] == ["+0.8", "%"]
    assert cause.startswith("2.1.9  start +1.0 %: imports `sqlalchemy.new` (+7.0 M)")
    content = json.loads(CliRunner().invoke(app, ["changes", "--json"]).stdout)["instructions"]
    assert content["changes"][0]["release"] == "2.1.9"
    assert content["rows"][1]["total"] == 982_390_000


def test_counts_of_another_build_are_refused_unless_all_are_replaced():
    other = Build(**{**BUILD.__dict__, "valgrind": "3.24.0"})
    with pytest.raises(PoolstartError, match=r"valgrind 3\.24\.0 instead of 3\.19\.0"):
        checked(record(row("2.1.8")), other, keep=True)
    assert checked(record(row("2.1.8")), other, keep=False) == InstructionsTable(other)


def test_rows_are_in_the_order_of_versions():
    content = record().with_row(row("2.0.10")).with_row(row("2.0.9")).with_row(row("2.0.10", start=1))
    assert [each.release for each in content.rows] == ["2.0.9", "2.0.10"]
    assert content.rows[1].phases["start"] == 1

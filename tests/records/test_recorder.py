"""`poolstart record`: one set of options, an estimate up front, and a list of what is on record."""

from datetime import date

import pytest
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.cli.record import RECORDERS, recorder
from harness.records import overview
from harness.records.provenance import Provenance, provenances
from harness.records.recorder import Request

OPTIONS = {
    "--only", "--repeat", "--minutes", "--load", "--fresh", "--injected", "--release", "--scheduler",
    "--workers", "--at",
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDERS)
def test_every_recorder_says_what_it_measures_and_has_known_options(name: str) -> None:
    chosen = recorder(name)
    assert chosen.title
    assert chosen.file
    assert set(chosen.options) <= OPTIONS
    assert bool(chosen.rows_are) == ("--only" in chosen.options)
    assert bool(chosen.repeats) == ("--repeat" in chosen.options)


@pytest.mark.parametrize("name", ["fleets", "programs", "demos", "hazards", "servers", "counts"])
def test_the_estimate_grows_with_what_is_asked_for(name: str) -> None:
    chosen = recorder(name)
    whole = chosen.seconds(Request(name))
    assert whole > 0
    if rows := chosen.rows():
        assert chosen.seconds(Request(name, only=(rows[0],))) < whole
    if "--repeat" in chosen.options:
        assert chosen.seconds(Request(name, repeat=10 * chosen.default_repeat)) > 9 * whole


def test_a_record_stores_its_command_without_what_only_continues_it() -> None:
    request = Request("demos", ("one_fork",), repeat=50, load=True, fresh=True, release="2.0.58")
    assert request.command == "poolstart record demos --only one_fork --release 2.0.58 --repeat 50 --load"


def test_the_list_has_every_record_with_its_days_and_its_options() -> None:
    done = CliRunner().invoke(app, ["record"], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    for name in RECORDERS:
        assert f"\n{name} " in done.output
    assert "2026-11-" in done.output
    assert "--only: hazards, strategies or groups of strategies" in done.output


def test_provenances_are_found_at_any_depth() -> None:
    content = {
        "2.1": {"provenance": {"release": "2.1.9"}, "later": {"a": {"date": "2026-11-28"}}, "rows": [{}]}
    }
    assert list(provenances(content)) == [Provenance(release="2.1.9"), Provenance(date="2026-11-28")]


def test_ages_are_in_days() -> None:
    today = date(2026, 11, 28)
    assert overview.age("2026-11-28T01:02:03", today) == "today"
    assert overview.age("2026-11-27", today) == "1 day"
    assert overview.age("2026-11-20", today) == "8 days"
    assert overview.age("", today) == ""

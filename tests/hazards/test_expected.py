"""The record is complete, the page is generated from it, and the command compares with it."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from typer.testing import CliRunner

from harness import strategies
from harness.cli.commands import app
from harness.drivers import Driver
from harness.hazards import catalogue
from harness.hazards import expected as record
from harness.hazards import matrix as measuring
from harness.hazards import report as page
from harness.hazards.all.missing_thread import POOL_USES
from harness.hazards.hazard import TRIED, Hazard, Outcome, Verdict
from harness.hazards.inside.story import HazardReading
from harness.hazards.runner import REQUIRE_TLS
from harness.hazards.table import RepeatedTrials
from harness.postgres import embedded, locate
from harness.postgres.server import Server
from harness.records import session
from harness.records.provenance import Provenance
from harness.system import pythons
from harness.system.errors import PoolstartError

MINE = record.series(sqlalchemy.__version__)


def repeated_trials(series: str = MINE) -> RepeatedTrials:
    """Those on record of the default strategies."""
    found = record.load()[series].repeated
    assert found
    return found


@pytest.fixture
def own_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the record, to be changed; what a test records is of the reference Python."""
    path = tmp_path / "measured.json"
    path.write_text(record.PATH.read_text())
    monkeypatch.setattr(record, "PATH", path)
    monkeypatch.setattr(pythons, "full", lambda: f"{pythons.REFERENCE}.7")
    return path


@pytest.fixture(autouse=True)
def _session_server(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(locate.RUN, server.to_json())


def test_every_strategy_has_a_verdict_on_every_hazard() -> None:
    expected = record.expected("2.1.0")
    further = strategies.FURTHER_IDS if record.load()["2.1"].further else ()
    names = (*strategies.IDS, *further)
    missing = {(hazard, name) for hazard in catalogue.IDS for name in names} - set(expected)
    assert not missing, (
        "record them: `poolstart record hazards --only HAZARD`, or `--only STRATEGY` for a new strategy"
    )
    assert set(expected) <= {(hazard, name) for hazard in catalogue.IDS for name in names}
    assert Verdict.NO_RESULT not in expected.values()


def test_recorded_verdicts_were_repeated_50_times_under_load() -> None:
    repeated = repeated_trials("2.1")
    assert repeated.trials >= 50
    assert repeated.busy >= 1


def test_every_recorded_story_has_parent_worker_server_and_user() -> None:
    for table in record.load().values():
        for outcome in (outcome for part in table.parts for outcome in part.outcomes):
            if outcome.verdict not in TRIED:
                assert outcome.reason
                continue
            assert {event.who for event in outcome.story} == {"parent", "worker", "server", "user"}


@pytest.mark.parametrize(
    "python", [pythons.REFERENCE, *filter(re.compile(r"[\d.]+t?$").match, record.combinations())]
)
def test_the_recorded_controls_hold(python: str) -> None:
    verdicts = record.expected("2.1.0", python)
    for hazard in catalogue.load_all():
        if verdicts[hazard.id, hazard.affected_control] not in TRIED:
            assert hazard.missing() or python != pythons.minor()
            continue
        assert verdicts[hazard.id, hazard.affected_control] is Verdict.AFFECTED
        if hazard.survives_control:
            assert verdicts[hazard.id, hazard.survives_control] is Verdict.SURVIVES


def test_the_record_has_no_path_url_or_port_of_its_machine() -> None:
    assert not re.search(
        r"/(home|root|tmp|opt|usr)/|postgresql://|:\d+/", record.PATH.read_text() + page.render()
    )


def test_the_command_fails_when_a_verdict_has_changed(own_record: Path) -> None:
    tables = json.loads(own_record.read_text())
    for outcome in tables[record.series(sqlalchemy.__version__)]["outcomes"]:
        outcome["verdict"] = "survives"
    own_record.write_text(json.dumps(tables))
    result = CliRunner().invoke(app, ["hazards", "unpicklable", "--strategy", "spawn"])
    assert result.exit_code == 1
    assert "unpicklable under spawn: affected (1 of 1), expected survives" in result.output


def test_a_hazard_that_cannot_be_tried_here_is_no_failure_unless_it_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none() -> Path:
        raise embedded.NoTLS("no PostgreSQL with TLS", "install one")

    monkeypatch.setattr(embedded, "tls_binaries", none)
    monkeypatch.delenv(REQUIRE_TLS, raising=False)
    command = ["hazards", "tls_broken", "--strategy", "spawn"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "not tried here: no PostgreSQL with TLS (tls_broken under spawn)" in result.output
    monkeypatch.setenv(REQUIRE_TLS, "1")
    result = CliRunner().invoke(app, command)
    assert (result.exit_code, "no PostgreSQL with TLS; install one" in result.output) == (1, True)


def test_a_whole_table_replaces_that_of_its_series(own_record: Path, server: Server) -> None:
    before = record.load()
    provenance = Provenance.here(server.identity)
    outcomes = before[MINE].outcomes[::-1]
    record.save(provenance, outcomes)
    after = record.load()
    table = after.pop(MINE)
    assert (table.provenance, table.outcomes, table.later) == (provenance, outcomes, {})
    assert table.further == before.pop(MINE).further
    assert after == before


def row(hazard: str, verdict: Verdict = Verdict.SURVIVES) -> list[Outcome]:
    return [Outcome(hazard, name, verdict) for name in strategies.IDS]


def test_a_single_row_is_recorded_beside_the_others_with_its_own_provenance(
    own_record: Path, server: Server
) -> None:
    before = record.load()[MINE]
    later = replace(before.provenance, date="2027-01-31")
    record.save(later, row("own_lock"))
    after = record.load()[MINE]
    assert after.provenance == before.provenance
    assert after.later == {**before.later, "own_lock": later}
    assert list(after.verdicts) == list(before.verdicts)
    assert [outcome for outcome in after.outcomes if outcome.hazard == "own_lock"] == row("own_lock")
    others = [outcome for outcome in before.outcomes if outcome.hazard != "own_lock"]
    assert [outcome for outcome in after.outcomes if outcome.hazard != "own_lock"] == others
    assert f"`own_lock` was measured separately: {later}{later.by}." in page.render()
    # Measured with the whole table again, it has no provenance of its own any more.
    record.save(later, after.outcomes)
    assert record.load()[MINE].later == {}


@pytest.mark.parametrize(
    ("outcomes", "problem"),
    [
        (row("own_lock")[:-1], f"own_lock was not tried under {strategies.IDS[-1]}"),
        ([Outcome("unpicklable", "spawn", Verdict.NO_RESULT, "killed")], "killed"),
    ],
)
def test_a_row_that_is_not_complete_is_not_recorded(
    own_record: Path, server: Server, outcomes: list[Outcome], problem: str
) -> None:
    before = own_record.read_text()
    with pytest.raises(PoolstartError, match=problem):
        record.save(Provenance.here(server.identity), outcomes)
    assert own_record.read_text() == before


def test_repeated_trials_that_agree_are_recorded(own_record: Path, server: Server) -> None:
    table = record.load()[MINE]
    record.save_repeated(Provenance.here(server.identity), table.outcomes * 3, trials=3, busy=1)
    repeated = repeated_trials()
    assert "came out the same in 3 of 3 trials, with 1 core kept busy" in page.render()
    once = table.outcome("interleaved", "fork_nodispose")
    assert once.readings["errors"].trials == 6
    assert repeated.rates["errors"]["fork_nodispose"] == replace(once.readings["errors"], trials=18)


def test_trials_that_disagree_are_not_recorded(own_record: Path, server: Server) -> None:
    before = own_record.read_text()
    outcomes = record.load()[MINE].outcomes
    for verdict in (Verdict.AFFECTED, Verdict.NO_RESULT, Verdict.NOT_APPLICABLE):
        odd = Outcome("inherited_lock", "spawn", verdict)
        with pytest.raises(PoolstartError, match=f"inherited_lock under spawn was once {verdict}"):
            record.save_repeated(Provenance.here(server.identity), [*outcomes, *outcomes, odd], 2, 0)
    assert own_record.read_text() == before


def other_verdict(outcome: Outcome) -> Outcome:
    other = {Verdict.SURVIVES: Verdict.AFFECTED, Verdict.AFFECTED: Verdict.SURVIVES}
    return replace(outcome, verdict=other.get(outcome.verdict, outcome.verdict))


def test_repeated_trials_stay_on_record_as_long_as_the_verdict(own_record: Path, server: Server) -> None:
    provenance, outcomes = Provenance.here(server.identity), record.load()[MINE].outcomes
    tried = {(o.hazard, o.strategy) for o in outcomes if o.verdict in TRIED}
    record.save_repeated(provenance, outcomes, 1, 0)
    record.save(provenance, outcomes)
    repeated = repeated_trials()
    assert {cell for cell in tried if repeated.covers(*cell)} == tried
    changed = "own_lock", "fork_dispose"
    record.save(provenance, [other_verdict(o) if (o.hazard, o.strategy) == changed else o for o in outcomes])
    repeated = repeated_trials()
    assert {cell for cell in tried if repeated.covers(*cell)} == tried - {changed}
    record.save(provenance, [o if (o.hazard, o.strategy) == changed else other_verdict(o) for o in outcomes])
    assert record.load()[MINE].repeated is None


def test_repeated_trials_of_one_row_are_added_to_those_of_others(own_record: Path, server: Server) -> None:
    provenance, outcomes = Provenance.here(server.identity), record.load()[MINE].outcomes
    first, second = (o for o in outcomes if o.hazard == "interleaved" and o.strategy in ("spawn", "nullpool"))
    record.save(provenance, outcomes)
    record.write(replace(record.table_of(), repeated=None))
    record.save_repeated(provenance, [first] * 2, 2, 1)
    record.save_repeated(provenance, [second] * 2, 2, 1)
    proven = repeated_trials()
    assert proven.cells == {"interleaved": [first.strategy, second.strategy]}
    assert set(proven.rates["errors"]) == {first.strategy, second.strategy}
    # Another number of trials replaces them.
    record.save_repeated(provenance, [first] * 3, 3, 1)
    proven = repeated_trials()
    assert proven.cells == {"interleaved": [first.strategy]}


def test_a_row_that_is_repeated_later_has_its_own_provenance(own_record: Path, server: Server) -> None:
    table = record.table_of()
    before = table.repeated
    later = replace(before.provenance, date="2027-01-31")
    outcomes = [outcome for outcome in table.outcomes if outcome.hazard == "own_lock"]
    record.save_repeated(later, outcomes * before.trials, before.trials, before.busy)
    after = repeated_trials()
    assert (after.provenance, after.later) == (before.provenance, {**before.later, "own_lock": later})
    assert after.cells == before.cells


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[tuple[str, str], Outcome]:
    """What the command measures: the recorded outcomes, in no time, unless a test changes them."""
    table = record.load()[MINE]
    recorded = [*table.outcomes, *table.further.outcomes]
    outcomes = {(outcome.hazard, outcome.strategy): outcome for outcome in recorded}

    def measure(
        _: Any,
        hazards: list[Hazard],
        names: list[str],
        seen: Callable[[Outcome], None],
        wanted: Any,
        driver: Driver,
        conditions: bool,
    ) -> None:
        for hazard, name in product(hazards, names):
            if wanted(hazard, name):
                seen(outcomes[hazard.id, name])

    monkeypatch.setattr(measuring, "measure", measure)
    monkeypatch.setattr(session, "DIRECTORY", tmp_path / "sessions")
    return outcomes


Cells = dict[tuple[str, str], Outcome]


def test_the_command_records_all_rows_of_all_strategies(own_record: Path, measured: Cells) -> None:
    cell = ("inherited_lock", "fork_nodispose")
    measured[cell] = replace(measured[cell], verdict=Verdict.SURVIVES)
    result = CliRunner().invoke(app, ["record", "hazards"])
    assert result.exit_code == 0, result.output
    table = record.load()[MINE]
    assert table.verdicts[cell] is Verdict.SURVIVES
    assert table.provenance.command == "poolstart record hazards"
    assert table.later == table.further.later == {}


def test_a_single_strategy_is_recorded_beside_the_others(own_record: Path, measured: Cells) -> None:
    before = record.load()[MINE]
    cell, untried = ("unpicklable", "fork_sever"), ("own_lock", "fork_sever")
    measured[cell] = replace(measured[cell], verdict=Verdict.AFFECTED)
    measured[untried] = replace(measured[untried], verdict=Verdict.NOT_TRIED)
    result = CliRunner().invoke(app, ["record", "hazards", "--only", "fork_sever"])
    assert result.exit_code == 0, result.output
    after = record.load()[MINE]
    assert (after.outcomes, after.later, after.repeated) == (before.outcomes, before.later, before.repeated)
    assert after.further.verdicts == {**before.further.verdicts, cell: Verdict.AFFECTED}
    assert after.further.later["fork_sever"].command == "poolstart record hazards --only fork_sever"
    # A row that is recorded later does not forget it.
    assert CliRunner().invoke(app, ["record", "hazards", "--only", "pool_lock"]).exit_code == 0
    assert "fork_sever" in (record.load()[MINE].further or before).later


def test_a_strategy_is_recorded_once_and_under_all_hazards(own_record: Path, measured: Cells) -> None:
    command = ["record", "hazards", "--only", "fork_sever", "--only", "unpicklable"]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, PoolstartError)
    assert "fork_sever is recorded once, under all hazards" in str(result.exception)


def test_the_trials_of_single_strategies_are_repeated(own_record: Path, measured: Cells) -> None:
    names = ("unpicklable", "spawn", "fork_dispose")
    only = [word for name in names for word in ("--only", name)]
    result = CliRunner().invoke(app, ["record", "hazards", *only, "--repeat", "2"])
    assert result.exit_code == 0, result.output
    repeated = repeated_trials()
    assert repeated.cells == {"unpicklable": ["spawn", "fork_dispose"]}


def test_a_trial_without_a_result_is_tried_again_and_the_others_are_kept(
    own_record: Path, measured: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = ("unpicklable", "spawn")
    with_result = measured[cell]
    measured[cell] = replace(with_result, verdict=Verdict.NO_RESULT, reason="the server went away")
    command = ["record", "hazards", "--only", "unpicklable", "--only", "default"]
    result = CliRunner().invoke(app, command)
    assert "the server went away" in str(result.exception)
    measured[cell] = with_result
    whole, tried = measuring.measure, []

    def again(server: Any, hazards: Any, names: Any, seen: Any, **options: Any) -> None:
        def count(outcome: Outcome) -> None:
            seen(outcome)
            tried.append(outcome.strategy)

        whole(server, hazards, names, count, **options)

    monkeypatch.setattr(measuring, "measure", again)
    assert CliRunner().invoke(app, command).exit_code == 0
    assert tried == ["spawn"]


def untried(hazard: str) -> list[Outcome]:
    return row(hazard, Verdict.NOT_TRIED)


@pytest.mark.parametrize(("verdict", "kept"), [(Verdict.AFFECTED, True), (Verdict.SURVIVES, False)])
def test_a_row_that_lacks_figures_for_want_of_a_package_replaces_none_with_its_verdict(
    own_record: Path, server: Server, verdict: Verdict, kept: bool
) -> None:
    now = Provenance.here(server.identity)
    reading = dict.fromkeys(POOL_USES, HazardReading(1.0, 1))
    measured = [replace(each, readings=reading) for each in row("missing_thread", Verdict.AFFECTED)]
    record.save(now, measured)
    before = record.load()[MINE]
    record.save(now, row("missing_thread", verdict))
    assert (record.load()[MINE] == before) == kept
    assert record.expected()["missing_thread", "spawn"] is verdict
    # One that has all figures takes its place.
    record.save(now, measured)
    assert record.load()[MINE].outcome("missing_thread", "spawn") in measured


def test_a_whole_table_keeps_the_rows_that_could_not_be_tried_here(own_record: Path, server: Server) -> None:
    before = record.load()[MINE]
    now = Provenance.here(server.identity)
    others = [outcome for outcome in before.outcomes if outcome.hazard != "native_threads"]
    record.save(now, [*others, *untried("native_threads")])
    after = record.load()[MINE]
    assert after.outcomes == before.outcomes
    earlier = before.later.get("native_threads", before.provenance)
    assert (after.provenance, after.later) == (now, {"native_threads": earlier})
    assert f"`native_threads` was measured separately: {earlier}{earlier.by}." in page.render()


def test_a_row_that_was_never_tried_is_recorded_as_that(own_record: Path, server: Server) -> None:
    table = record.table_of()
    known = tuple(outcome for outcome in table.outcomes if outcome.hazard != "native_threads")
    record.write(replace(table, outcomes=known))
    record.save(Provenance.here(server.identity), untried("native_threads"))
    assert record.expected()["native_threads", "spawn"] is Verdict.NOT_TRIED


def test_repeated_trials_leave_out_what_could_not_be_tried_here(own_record: Path, server: Server) -> None:
    table = record.load()[MINE]
    outcomes = [outcome for outcome in table.outcomes if outcome.hazard != "native_threads"]
    record.save_repeated(
        Provenance.here(server.identity), [*outcomes, *untried("native_threads")] * 3, trials=3, busy=1
    )
    repeated = repeated_trials()
    assert "native_threads" not in repeated.cells
    assert record.load()[MINE].verdicts == table.verdicts


def test_a_row_of_another_python_is_recorded_beside_those_of_the_reference(own_record: Path) -> None:
    before = record.load()
    (first, *_) = record.load()["2.1"].outcomes
    row = [each for each in record.load()["2.1"].outcomes if each.hazard == first.hazard]
    changed = [replace(each, verdict=Verdict.NOT_TRIED, reason="for the test") for each in row]

    record.save(Provenance(release="2.1.9", python="3.98.1"), changed)

    assert record.load() == before
    assert "3.98" in record.combinations()
    cell = (first.hazard, first.strategy)
    assert record.expected("2.1.9", "3.98.1")[cell] is Verdict.NOT_TRIED
    assert record.expected("2.1.9", "3.11.7")[cell] is row[0].verdict
    # What is not on record for it is expected to be as the reference's.
    assert record.expected("2.1.9", "3.98.1").keys() == record.expected("2.1.9", "3.11.7").keys()


def test_a_verdict_of_one_driver_is_shown_for_no_other(own_record: Path) -> None:
    before = record.load()
    row = [each for each in before["2.1"].outcomes if each.hazard == "own_lock"]

    record.save(Provenance(release="2.1.9", python="3.11.7", driver="mine 1.0"), row)

    assert record.load() == before
    assert "mine" in record.combinations()
    assert record.expected("2.1.9", driver="mine") == {
        (each.hazard, each.strategy): each.verdict for each in row
    }
    assert record.expected("2.1.9", "3.98.1", driver="mine") == record.expected("2.1.9", driver="mine")
    assert record.expected("2.1.9", driver="psycopg_of_mine") == {}
    assert record.expected("2.0.58", driver="mine") == {}
    assert record.table_of("2.1.9", driver="mine").provenance.driver == "mine 1.0"


def test_a_figure_that_each_trial_forces_says_nothing_of_how_often_it_happens() -> None:
    rates = {"forced": {"spawn": HazardReading(1.0, 50)}, "chance": {"spawn": HazardReading(0.1, 1000)}}
    assert RepeatedTrials(Provenance(), 50, 1, rates, {}).unforced.keys() == {"chance"}


DEFAULT = row("unpicklable")
FURTHER = [Outcome("unpicklable", name, Verdict.SURVIVES) for name in strategies.FURTHER_IDS]


def test_recording_one_part_leaves_the_other_as_it_was(own_record: Path, server: Server) -> None:
    own_record.unlink()
    provenance = Provenance.here(server.identity)
    with pytest.raises(PoolstartError, match="first run"):
        record.save(provenance, FURTHER)
    record.save(provenance, DEFAULT)
    assert record.table_of().further is None
    record.save(provenance, FURTHER)
    record.save(provenance, DEFAULT)
    table = record.table_of()
    assert list(table.outcomes) == DEFAULT
    assert list(table.further.outcomes) == FURTHER


def test_each_part_has_its_own_provenance(own_record: Path, server: Server) -> None:
    own_record.unlink()
    provenance = Provenance.here(server.identity)
    record.save(provenance, [*DEFAULT, *FURTHER])
    record.save_repeated(provenance, FURTHER * 2, 2, 1)
    table = record.table_of()
    assert table.repeated is None
    assert table.further.repeated.trials == 2
    record.save_repeated(provenance, DEFAULT * 3, 3, 1)
    table = record.table_of()
    assert (table.repeated.trials, table.further.repeated.trials) == (3, 2)


def test_a_hazard_that_the_reference_cannot_try_is_shown_as_another_python_tried_it() -> None:
    section = page.section(catalogue.load("preload_main"))
    assert re.search(r"What happened under `forkserver` \(Python 3\.\d+\):\n\n- \*", section)
    assert "; not tried)" not in section


def test_series_do_not_differ_in_what_neither_of_them_tried() -> None:
    older = page.render().partition("## SQLAlchemy 2.0\n")[2].partition("## SQLAlchemy 2.1, ")[0]
    assert "sqlite_shared" in older
    assert "preload_main" not in older


def test_if_a_part_of_the_verdicts_was_repeated_the_page_does_not_say_that_the_others_varied() -> None:
    table = record.table_of()
    one = replace(table.repeated, cells={"own_lock": ["spawn"]})
    assert page.certainty(table).startswith("All ")
    sentence = page.certainty(replace(table, repeated=one))
    assert re.match(r"1 of the \d+ verdicts were tried repeatedly, and came out the same in", sentence)

"""Verdicts of many releases: which trials run, which are repeated, and what is recorded."""

import json
from dataclasses import replace

import pytest

from harness.hazards import catalogue
from harness.hazards.bisection import release_verdicts, search, tried
from harness.hazards.hazard import Outcome, Verdict
from harness.postgres.server import Server
from harness.system.errors import PoolstartError

SERVER = Server("embedded", "", "18.4", "tcp", "trust")
HAZARDS = [catalogue.load("sqlite_shared"), catalogue.load("unpicklable")]

CHANGED = {"sqlite_shared": "2", "unpicklable": "2.1.5"}
"""The releases that changed their verdicts."""


@pytest.fixture
def trials_made(tmp_path, monkeypatch):
    """Trials that take no time; returns what was tried. The first trial of 2.0.0 comes to no result."""
    monkeypatch.setattr(tried, "DIRECTORY", tmp_path / "tried")
    made = []

    def measure(server, hazards, strategies, seen, wanted, release, python):
        outcomes = []
        for hazard in hazards:
            for strategy in strategies:
                if wanted(hazard, strategy):
                    affected = Verdict.SURVIVES if release < CHANGED[hazard.id] else Verdict.AFFECTED
                    first = release == "2.0.0" and not any(one[0] == release for one in made)
                    made.append((release, hazard.id, strategy))
                    outcomes.append(Outcome(hazard.id, strategy, Verdict.NO_RESULT if first else affected))
                    seen(outcomes[-1])
        return outcomes

    monkeypatch.setattr(search.matrix, "measure", measure)
    return made


def sit(releases, hazards=HAZARDS):
    reported = []
    search.measure(releases, hazards, ["spawn"], lambda release: release, SERVER, reported.append)
    return reported


def test_a_trial_is_repeated_only_if_it_had_no_result(trials_made):
    sit(["1.4.54", "2.0.0"])
    assert len(trials_made) == 4
    sit(["1.4.54", "2.0.0"])
    assert trials_made[4:] == [("2.0.0", "sqlite_shared", "spawn")]


def test_a_new_hazard_is_tried_without_the_others(trials_made):
    sit(["2.1.9"], HAZARDS[:1])
    sit(["2.1.9"])
    assert trials_made == [("2.1.9", "sqlite_shared", "spawn"), ("2.1.9", "unpicklable", "spawn")]


def test_the_number_of_trials_left_is_reported(trials_made):
    assert sit(["2.1.9"]) == [f"2.1.9, {left} trials left" for left in (2, 1, 0)]


RELEASES = [*(f"1.4.{at}" for at in range(40, 45)), "2.0.0", *(f"2.1.{at}" for at in range(10))]


def test_the_ends_of_each_series_come_first(trials_made):
    reported = sit(RELEASES)
    order = [text.partition(",")[0] for text in reported if text.endswith(" 0 trials left")]
    assert order[:5] == ["2.1.9", "2.1.0", "2.0.0", "1.4.44", "1.4.40"]
    assert sorted(set(order)) == sorted(RELEASES)


def test_between_releases_that_differ_only_what_differs_is_tried(trials_made):
    sit([f"2.1.{at}" for at in range(9)])
    assert [trial[0] for trial in trials_made[:4]] == ["2.1.8", "2.1.8", "2.1.0", "2.1.0"]
    halving = [("2.1.4", "unpicklable"), ("2.1.6", "unpicklable"), ("2.1.5", "unpicklable")]
    assert [trial[:2] for trial in trials_made[4:7]] == halving
    # And then what is left, in full.
    assert len(trials_made) == len(set(trials_made)) == 18


def test_no_result_is_no_change_of_a_verdict(trials_made):
    sit(["2.0.0", "2.0.1", "2.0.9"])
    recorded = release_verdicts.record(
        ["2.0.0", "2.0.1", "2.0.9"], SERVER, "c", tried.DIRECTORY / "record.json"
    )
    assert recorded.verdicts["sqlite_shared"]["spawn"] == [("2.0.1", "affected")]


def test_the_record_has_the_release_from_which_a_verdict_holds(trials_made, tmp_path):
    path = tmp_path / "verdicts.json"
    for _ in range(2):
        sit(["1.4.54", "2.0.0", "2.1.9"])
    recorded = release_verdicts.record(["1.4.53", "1.4.54", "2.0.0", "2.1.9"], SERVER, "c", path)
    assert recorded.releases == recorded.whole == ("1.4.54", "2.0.0", "2.1.9")
    assert recorded.verdicts["sqlite_shared"]["spawn"] == [("1.4.54", "survives"), ("2.0.0", "affected")]
    assert release_verdicts.load(path) == recorded
    reported = [recorded.of("sqlite_shared", "spawn", release) for release in recorded.releases]
    assert reported == ["survives", "affected", "affected"]
    # Between two that agree it is theirs; between two that do not, and beyond, it is not known.
    reported = [
        recorded.of("sqlite_shared", "spawn", release) for release in ("2.0.7", "1.4.60", "2.1.10", "1.3")
    ]
    assert reported == ["affected", "", "", ""]
    assert recorded.of("sqlite_shared", "nullpool", "2.0.0") == ""


def test_a_session_continues_the_record_of_another_machine(trials_made, tmp_path, monkeypatch):
    releases = ["1.4.54", "2.0.0", "2.1.0", "2.1.9"]
    sit(["1.4.54", "2.1.9"])
    recorded = release_verdicts.record(releases, SERVER, "c", tmp_path / "verdicts.json")
    monkeypatch.setattr(tried, "DIRECTORY", tmp_path / "of another machine")
    release_verdicts.resume(recorded, SERVER)
    before = len(trials_made)
    sit(releases)
    assert {trial[0] for trial in trials_made[before:]} == {"2.0.0", "2.1.0"}
    again = release_verdicts.record(releases, SERVER, "c", tmp_path / "again.json")
    assert again.releases == ("1.4.54", "2.0.0", "2.1.0", "2.1.9")
    assert again.of("sqlite_shared", "spawn", "1.4.54") == "survives"
    # Nor does it take the place of what this machine has found.
    release_verdicts.resume(replace(recorded, verdicts={}), SERVER)
    assert tried.results_of("1.4.54")


def test_a_record_of_another_server_or_python_is_not_continued(trials_made, tmp_path):
    sit(["2.1.9"])
    recorded = release_verdicts.record(["2.1.9"], SERVER, "c", tmp_path / "verdicts.json")
    (tried.DIRECTORY / "2.1.9.json").unlink()
    here = recorded.provenance
    for other in (replace(here, server="container-17.12"), replace(here, python="3.14.0")):
        release_verdicts.resume(replace(recorded, provenance=other), SERVER)
        assert not tried.of_release("2.1.9")
    release_verdicts.resume(None, SERVER)
    assert not tried.of_release("2.1.9")


def test_a_damaged_file_is_an_error_that_names_it(trials_made):
    tried.DIRECTORY.mkdir()
    (tried.DIRECTORY / "2.1.9.json").write_text("{")
    with pytest.raises(PoolstartError, match="cannot be read"):
        sit(["2.1.9"])


def test_what_could_not_be_tried_here_keeps_the_verdict_on_record(trials_made, tmp_path):
    path = tmp_path / "verdicts.json"
    sit(["2.1.8", "2.1.9"])
    release_verdicts.record(["2.1.8", "2.1.9"], SERVER, "", path)
    for release in ("2.1.8", "2.1.9"):
        kept = json.loads((tried.DIRECTORY / f"{release}.json").read_text())
        kept["sqlite_shared"] = kept["native_threads"] = {"spawn": "not tried here"}
        (tried.DIRECTORY / f"{release}.json").write_text(json.dumps(kept))
    recorded = release_verdicts.record(["2.1.8", "2.1.9"], SERVER, "", path)
    assert recorded.of("sqlite_shared", "spawn", "2.1.9") == Verdict.AFFECTED
    assert recorded.of("native_threads", "spawn", "2.1.9") == Verdict.NOT_TRIED
    # It is tried again where it can be.
    assert ("sqlite_shared", "spawn") not in tried.results_of("2.1.9")


def test_a_record_is_not_replaced_by_one_that_lacks_any_of_its_verdicts(trials_made, tmp_path):
    path = tmp_path / "verdicts.json"
    releases = ["2.1.8", "2.1.9"]
    sit(releases)
    recorded = release_verdicts.record(releases, SERVER, "c", path)
    tried.discard(["2.1.9"], ["sqlite_shared"])
    assert [hazard for hazard, _ in tried.results_of("2.1.9")] == ["unpicklable"]
    with pytest.raises(PoolstartError, match="verdicts of 1 releases on record have not been tried"):
        release_verdicts.record(releases, SERVER, "c", path)
    tried.discard(releases, ["sqlite_shared", "unpicklable"])
    with pytest.raises(PoolstartError, match="verdicts of 2 releases on record have not been tried"):
        release_verdicts.record(releases, SERVER, "c", path)
    assert release_verdicts.load(path) == recorded
    sit(releases)
    assert release_verdicts.record(releases, SERVER, "c", path) == recorded

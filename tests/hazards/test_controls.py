"""Every reproduction affects its positive control, and its negative control survives."""

import pytest

from harness.hazards import catalogue
from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.runner import Trials

PARTICIPANTS = {"parent", "worker", "server", "user"}
"""The participants that a story must have."""

CURES = {
    "lazy_executor": "submits an empty task first: now nothing is shared",
    "preping_tls": "Ends its transaction without an error",
    "driver_finalizer": "keeps a reference to the inherited pool, and the parent's session lives",
    "inherited_session": "With the session closed before the start: the rows of worker",
    "handler_copy": "Closes it before it starts another worker: nothing is shared",
}
"""What the story of a positive control shows of a cure."""


def outcome(trials: Trials, hazard: str, strategy: str) -> Outcome:
    found = trials.run(catalogue.load(hazard), strategy)
    if found.verdict is Verdict.NOT_TRIED:
        pytest.skip(found.reason)
    assert {event.who for event in found.story} == PARTICIPANTS
    return found


@pytest.mark.parametrize("hazard", catalogue.IDS)
def test_the_positive_control_is_affected_and_its_story_shows_the_cure(trials: Trials, hazard: str) -> None:
    affected = outcome(trials, hazard, catalogue.load(hazard).affected_control)
    assert affected.verdict is Verdict.AFFECTED, affected.story
    assert any(CURES.get(hazard, "") in event.what for event in affected.story), affected.story


@pytest.mark.parametrize("hazard", [name for name in catalogue.IDS if catalogue.load(name).survives_control])
def test_the_negative_control_survives(trials: Trials, hazard: str) -> None:
    survivor = outcome(trials, hazard, catalogue.load(hazard).survives_control)
    assert survivor.verdict is Verdict.SURVIVES, survivor.story


@pytest.mark.parametrize("hazard", [name for name in catalogue.IDS if catalogue.load(name).condition])
def test_the_positive_control_survives_with_the_condition_kept(trials: Trials, hazard: str) -> None:
    declared = catalogue.load(hazard)
    if declared.missing():
        pytest.skip(declared.missing())
    assert trials.run_with_condition(declared, declared.affected_control) is Verdict.SURVIVES

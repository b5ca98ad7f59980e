"""Every reproduction strikes what it must strike, and spares what it must spare."""

import pytest

from harness.hazards import catalogue
from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.trials import Trials


def outcome(trials: Trials, hazard: str, strategy: str) -> Outcome:
    found = trials.run(catalogue.load(hazard), strategy)
    if found.verdict is Verdict.NOT_APPLICABLE:
        pytest.skip(found.reason)
    return found


@pytest.mark.parametrize("hazard", catalogue.IDS)
def test_the_positive_control_is_struck(trials: Trials, hazard: str) -> None:
    struck = outcome(trials, hazard, catalogue.load(hazard).struck_control)
    assert struck.verdict is Verdict.STRUCK, struck.story


@pytest.mark.parametrize("hazard", catalogue.IDS)
def test_the_negative_control_survives(trials: Trials, hazard: str) -> None:
    spared = outcome(trials, hazard, catalogue.load(hazard).survives_control)
    assert spared.verdict is Verdict.SURVIVES, spared.story

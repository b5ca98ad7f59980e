"""All verdicts are as recorded."""

import pytest

from harness import strategies
from harness.hazards import catalogue
from tests.support.command import poolstart


@pytest.mark.slow
def test_every_verdict_is_as_recorded() -> None:
    done = poolstart("hazards", timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    trials = len(catalogue.IDS) * len(strategies.IDS)
    assert f"trial {trials} of {trials}: " in done.stderr
    assert "no result" not in done.stdout

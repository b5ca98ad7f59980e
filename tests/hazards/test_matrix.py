"""The table of verdicts comes out as it is recorded."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness import strategies
from harness.hazards import catalogue


@pytest.mark.slow
def test_every_verdict_is_as_recorded() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("poolstart"), "hazards"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    trials = len(catalogue.IDS) * len(strategies.IDS)
    assert f"trial {trials} of {trials}: " in done.stderr
    assert "no result" not in done.stdout

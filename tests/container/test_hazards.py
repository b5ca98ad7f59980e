"""What goes wrong does so on the container too."""

import pytest

from harness import strategies
from harness.hazards import catalogue
from tests.container.conftest import Project

pytestmark = pytest.mark.slow

HAZARDS_DEADLINE = 1200.0
"""Seconds for every hazard against every strategy: a few minutes, and more on a loaded machine."""


def test_every_verdict_holds_on_a_container_with_tls_and_passwords(any_project: Project) -> None:
    project = any_project.having(POOLSTART_TLS="on", POOLSTART_SERVER="container")
    up = project.poolstart("postgres", "up")
    assert "-tls-scram-sha-256 at 127.0.0.1:" in up.stdout, up.stderr
    hazards = project.poolstart("hazards", deadline=HAZARDS_DEADLINE)
    assert hazards.returncode == 0, hazards.stdout + hazards.stderr
    trials = len(catalogue.IDS) * len(strategies.IDS)
    assert f"trial {trials} of {trials}: " in hazards.stderr
    assert "no result" not in hazards.stdout

"""What goes wrong does so on the container too."""

import pytest

from harness import strategies
from harness.hazards import catalogue
from tests.container.conftest import Project

pytestmark = pytest.mark.slow


def test_every_verdict_holds_on_a_container_with_tls_and_passwords(any_project: Project) -> None:
    project = any_project.having(POOLSTART_TLS="on", POOLSTART_SERVER="container")
    up = project.poolstart("postgres", "up")
    assert "-tls-scram-sha-256 at 127.0.0.1:" in up.stdout, up.stderr
    hazards = project.poolstart("hazards")
    assert hazards.returncode == 0, hazards.stdout + hazards.stderr
    trials = len(catalogue.IDS) * len(strategies.IDS)
    assert f"trial {trials} of {trials}: " in hazards.stderr
    assert "n/a" not in hazards.stdout

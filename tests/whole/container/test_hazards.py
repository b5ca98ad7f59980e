"""Verdicts are the same on the container, over TLS and with a password."""

import pytest

from harness.hazards import catalogue
from tests.support.container import Project

pytestmark = pytest.mark.slow

STRATEGIES = ("fork_nodispose", "fork_dispose", "nullpool")
"""Strategies that differ towards the server: not those that start an interpreter, which share nothing.
`poolstart hazards` checks the whole matrix on an embedded server, without TLS."""

INDEPENDENT = {
    *("inherited_lock", "own_lock", "copied_frame", "module_frame", "unguarded_main", "sqlite_shared"),
    *("unpicklable", "import_lock", "native_threads", "preload_main", "copied_signals"),
}
"""Hazards that do not depend on the server."""

HAZARDS = [name for name in catalogue.IDS if name not in INDEPENDENT]

HAZARDS_DEADLINE = 1200.0
"""Seconds for these hazards and strategies: a few minutes, and more on a busy machine."""


def test_verdicts_hold_on_a_container_with_tls_and_passwords(any_project: Project) -> None:
    project = any_project.having(POOLSTART_TLS="on", POOLSTART_SERVER="container")
    up = project.poolstart("postgres", "up")
    assert "-tls-scram-sha-256 at 127.0.0.1:" in up.stdout, up.stderr
    hazards = project.poolstart(
        "hazards", *HAZARDS, *(f"--strategy={name}" for name in STRATEGIES), deadline=HAZARDS_DEADLINE
    )
    assert hazards.returncode == 0, hazards.stdout + hazards.stderr
    trials = len(HAZARDS) * len(STRATEGIES)
    assert f"trial {trials} of {trials}: " in hazards.stderr
    assert "no result" not in hazards.stdout

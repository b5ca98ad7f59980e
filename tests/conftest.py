"""A real PostgreSQL server, and the built site, for the tests of all subjects."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hazards.runner import Trials
from harness.postgres import embedded
from harness.postgres.server import Server
from harness.processes.supervision import Supervision


@pytest.fixture(autouse=True, scope="session")
def _own_surroundings() -> None:
    """Remove the user's settings."""
    for name in list(os.environ):
        if name.startswith("POOLSTART_") and not name.startswith("POOLSTART_REQUIRE"):
            del os.environ[name]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One embedded server for all tests of a session."""
    with Supervision() as supervision:
        yield embedded.start(supervision)


@pytest.fixture(scope="session")
def trials(server: Server) -> Iterator[Trials]:
    with Trials(server) as made:
        yield made


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the tests' results, to be read only; the first worker of pytest-xdist builds them."""
    from harness.site import build
    from tests.support.results import RESULTS

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    # Served from below the host's root, as a code host does.
    directory, done = shared / "host" / "some" / "where", shared / "site-built"
    with (shared / "site-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            build.build(RESULTS, directory)
            done.touch()
    return directory

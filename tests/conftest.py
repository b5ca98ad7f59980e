"""A real PostgreSQL server, and the built site, for the tests of all subjects."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hazards.runner import Trials
from harness.postgres import embedded
from harness.postgres.server import Server
from harness.processes.supervision import Supervision
from tests.support.site import built


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
    """The directory of the pages of the committed results, to be read only."""
    return built(tmp_path_factory)

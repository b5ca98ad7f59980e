from collections.abc import Iterator

import pytest

from harness.outside.trials import Trials
from harness.postgres.server import Server


@pytest.fixture(scope="session")
def trials(server: Server) -> Iterator[Trials]:
    with Trials(server) as made:
        yield made

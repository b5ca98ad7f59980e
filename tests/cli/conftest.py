"""A quick profile on the session's server, for tests of the command line."""

import pytest

from harness.lifecycles import profile
from harness.postgres import locate
from harness.postgres.server import Server


@pytest.fixture
def quick(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The session's server, with a profile that measures as little as exercises everything."""
    monkeypatch.setenv(locate.RUN, server.to_json())
    monkeypatch.setenv(profile.PROFILE, "quick")
    monkeypatch.setenv(profile.DATAFRAME, "16")
    return server

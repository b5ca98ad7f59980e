"""An embedded server with a role that has to name its password."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.engine import make_url

from harness.postgres import embedded
from harness.postgres.server import Server
from harness.processes.supervision import Supervision

ROLE = "somebody"


@contextmanager
def server_with_password(password: str, *statements: str) -> Iterator[Server]:
    """A server whose role `somebody` connects with this password only, as all others but `poolstart` do.

    `statements` are executed before it starts.
    """
    role = f"create role {ROLE} login password '{password}';"
    rule = f"host all {ROLE} 127.0.0.1/32 scram-sha-256"
    with pytest.MonkeyPatch.context() as patch, Supervision() as supervision:
        patch.setattr(embedded, "PREPARATION", (*embedded.PREPARATION, role, *statements))
        patch.setattr(embedded, "RULES", (rule, *embedded.RULES))
        yield embedded.start(supervision)


def with_password(server: Server, password: str) -> str:
    """The URL of a server for its role `somebody`."""
    return make_url(server.url).set(username=ROLE, password=password).render_as_string(hide_password=False)

"""An embedded server with a role that has to name its password."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.engine import make_url

from harness.postgres import embedded
from harness.postgres.server import Server
from harness.processes.supervision import Supervision

ROLE = "alice"


@contextmanager
def server_with_password(password: str, *statements: str, rules: tuple[str, ...] = ()) -> Iterator[Server]:
    """A server whose role `alice` connects with this password only, as all others but `poolstart` do.

    `statements` are executed before it starts; `rules` are further lines of its pg_hba.conf.
    """
    role = f"create role {ROLE} login password '{password}';"
    rule = f"host all {ROLE} 127.0.0.1/32 scram-sha-256"
    with Supervision() as supervision:
        # Only for this server: another one may be started by a fixture of the whole run.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(embedded, "PREPARATION", (*embedded.PREPARATION, role, *statements))
            patch.setattr(embedded, "RULES", (rule, *embedded.RULES, *rules))
            started = embedded.start(supervision)
        yield started


def with_password(server: Server, password: str) -> str:
    """The URL of a server for its role `alice`."""
    return make_url(server.url).set(username=ROLE, password=password).render_as_string(hide_password=False)

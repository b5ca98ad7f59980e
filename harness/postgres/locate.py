"""Which server is used: that of `POOLSTART_URL`, else a running compose service, else an embedded one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from harness.postgres import compose, embedded
from harness.postgres.server import Server, describe
from harness.postgres.url import forget_variables, parse_url
from harness.processes.supervision import Supervision
from harness.system.errors import PoolstartError

URL = "POOLSTART_URL"
"""Environment variable: a URL of any reachable PostgreSQL."""

KIND = "POOLSTART_SERVER"
"""Environment variable: `embedded` or `container`, to require one of them."""

RUN = "POOLSTART_RUN_SERVER"
"""Environment variable, internal: the server of the asv run that this process belongs to, as JSON."""


def running() -> Server | None:
    """The server to use if it runs already; None if an embedded one is to be started.

    Raises `PoolstartError` if the server that was asked for cannot be used.
    """
    inherited = os.environ.get(RUN)
    if inherited:
        try:
            return Server.from_json(inherited)
        except ValueError:
            raise PoolstartError(f"{RUN} is set, but not by a run of asv", f"unset {RUN}") from None
    url = os.environ.get(URL)
    if url:
        found = describe("external", parse_url(url, URL))
        os.environ[URL] = found.url
        forget_variables()
        return found
    forget_variables()
    kind = os.environ.get(KIND, "")
    if kind not in ("", "embedded", "container"):
        raise PoolstartError(f"{KIND}={kind} is not a kind of server", f"set {KIND} to embedded or container")
    if kind != "embedded":
        service = compose.service_url(required=kind == "container")
        if service:
            return describe("container", service)
    return None


def identity() -> str:
    """The identity of the server that would be used now, without starting one. Raises as `running`."""
    server = running()
    return server.identity if server else embedded.identity()


@contextmanager
def server() -> Iterator[Server]:
    """A context with the server to use; an embedded one ends with it. Raises as `running`."""
    if there := running():
        yield there
        return
    with Supervision() as supervision:
        yield embedded.start(supervision)

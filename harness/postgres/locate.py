"""Which server is used: that of `POOLSTART_URL`, else a running compose service, else an embedded one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from harness import drivers
from harness.postgres import compose, embedded
from harness.postgres import identity as identities
from harness.postgres import pooler as poolers
from harness.postgres.server import Server, describe
from harness.postgres.url import forget_variables, parse_url
from harness.processes.supervision import Supervision
from harness.system.errors import PoolstartError

URL = "POOLSTART_URL"
"""Environment variable: a URL of any reachable PostgreSQL."""

BEHIND = f"set {URL} to the server behind it"

KIND = "POOLSTART_SERVER"
"""Environment variable: `embedded` or `container`, to require one of them."""

RUN = "POOLSTART_RUN_SERVER"
"""Environment variable, internal: the server of the asv run that this process belongs to, as JSON."""


def running() -> Server | None:
    """The server to use if it runs already; None if an embedded one has to be started.

    Raises `PoolstartError` if the server that the user requires cannot be used.
    """
    inherited = os.environ.get(RUN)
    if inherited:
        try:
            return Server.from_json(inherited)
        except ValueError:
            raise PoolstartError(f"{RUN} is set, but not by a run of asv", f"unset {RUN}") from None
    url, name = os.environ.get(URL), identities.given_name()
    if name and not url:
        raise PoolstartError(
            f"{identities.NAME} names the server of {URL}, which is not set", f"set {URL}, or unset it"
        )
    if url:
        found = describe("external", parse_url(url, URL), name)
        if found.pooler.endswith("-statement"):
            raise PoolstartError(
                f"{poolers.title(found.pooler)}, in which no transaction can begin",
                f"set its pool_mode to session or transaction, or {BEHIND}",
            )
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
    """The identity of the server that would be used now, without starting one.

    Raises the same errors as `running`.
    """
    server = running()
    return server.identity if server else embedded.identity()


class OnlyTimes(PoolstartError):
    """Only times and memory can be measured with this driver, or through this pooler."""


@contextmanager
def server(*, pooler: bool = False, driver: bool = False) -> Iterator[Server]:
    """A context with the server to use; an embedded one ends with it.

    `pooler` says that the caller can measure through a pooler, and `driver` that it can measure the driver of
    POOLSTART_DRIVER. Raises `OnlyTimes` if the user has one of these and the caller cannot, and otherwise the
    same errors as `running`.
    """
    chosen = drivers.current()
    if chosen != drivers.MEASURED and not driver:
        raise OnlyTimes(
            f"{drivers.DRIVER}={chosen.name}: only times, memory and hazards can be measured with this"
            " driver (`measure`, `compare`, `hazards`, `asv run`)",
            f"unset {drivers.DRIVER} for {drivers.MEASURED.name}",
        )
    if there := running():
        if there.pooler and not pooler:
            raise OnlyTimes(
                f"{poolers.title(there.pooler)}, through which only times and memory can be measured"
                " (`poolstart`, `measure`, `compare`)",
                BEHIND,
            )
        yield there
        return
    with Supervision() as supervision:
        yield embedded.start(supervision)

"""What the server knows about the sessions: pg_stat_activity, asked through a connection of our own."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.doctor.evidence.sockets import Address, Connection
from harness.system.errors import PoolstartError

QUERY = """
    select pid, coalesce(host(client_addr), ''), coalesce(client_port, -1), state,
           extract(epoch from now() - backend_start)::float8,
           extract(epoch from now() - state_change)::float8, pg_blocking_pids(pid),
           coalesce(extract(epoch from now() - xact_start)::float8, 0)
    from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
"""

LIMIT = "select setting::int from pg_settings where name = 'max_connections'"


@dataclass(frozen=True)
class Session:
    """A session of the server."""

    backend: int
    host: str
    """The client's address; empty for a Unix socket."""
    port: int
    """Its port; -1 for a Unix socket."""
    state: str
    """For example `idle in transaction`; empty if the account may not see it."""
    age: float
    """Seconds since it began."""
    unchanged: float
    """Seconds for which it has been in its state."""
    blocked_by: tuple[int, ...]
    """The backends whose locks it waits for."""
    transaction: float
    """Seconds since its transaction began; 0 if it has none."""


@dataclass(frozen=True)
class ServerView:
    """All sessions of a server, and how many it accepts."""

    sessions: tuple[Session, ...]
    max_connections: int

    def of_backend(self, backend: int) -> Session | None:
        return next((session for session in self.sessions if session.backend == backend), None)

    def of_address(self, address: Address) -> Session | None:
        client = (address.host.removeprefix("::ffff:"), address.port)
        return next((each for each in self.sessions if (each.host, each.port) == client), None)

    def of(self, connection: Connection) -> Session | None:
        """The session of a connection; None if it is not known."""
        found = self.of_backend(connection.backend) if connection.backend else None
        if not found and connection.address:
            found = self.of_address(connection.address)
        return found


def view(url: str) -> ServerView:
    """The sessions now. Raises `PoolstartError` if the server cannot be asked, without showing the URL."""
    connection = _connect(url)
    try:
        cursor = connection.cursor()
        cursor.execute(QUERY)
        sessions = tuple(
            Session(pid, host, port, state or "", age, unchanged or 0.0, tuple(blockers), transaction)
            for pid, host, port, state, age, unchanged, blockers, transaction in cursor.fetchall()
        )
        cursor.execute(LIMIT)
        [limit] = cursor.fetchone()
    finally:
        connection.close()
    return ServerView(sessions, limit)


def _connect(url: str) -> Any:
    scheme, _, rest = url.partition("://")
    for driver in _drivers(scheme):
        try:
            module = importlib.import_module(driver)
        except ImportError:
            continue
        try:
            return module.connect(
                f"postgresql://{rest}", connect_timeout=5, application_name="poolstart doctor"
            )
        except module.Error as error:
            raise PoolstartError(f"--url: {_first_line(error)}") from None
    raise PoolstartError("--url needs psycopg2 or psycopg", "pip install psycopg2-binary")


def _drivers(scheme: str) -> Iterable[str]:
    return sorted(("psycopg2", "psycopg"), key=lambda driver: not scheme.endswith(f"+{driver}"))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

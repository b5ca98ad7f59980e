"""A PostgreSQL server: its URL, and the properties that are part of every result."""

import json
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg2
from psycopg2.extensions import parse_dsn

from harness.drivers import MEASURED, Driver
from harness.postgres import identity, pooler
from harness.postgres.refusal import broken_off, refused
from harness.postgres.url import address, location, parameters, render, resolved
from harness.system.errors import PoolstartError
from harness.system.structure import structure

CONNECT_TIMEOUT = 10
"""Seconds for a server to answer."""

IDLE_S = 120.0
"""Seconds for which a session may be idle during a run, while a parent starts."""

STATEMENT_S = 1.0
"""Seconds that a statement may take during a run on a busy machine."""

MONITOR = "poolstart-monitor"
"""The application name of connections that monitor the server."""


@dataclass(frozen=True)
class Server:
    """A reachable server. Servers that differ in anything but the URL have separate series of results."""

    kind: str
    """`embedded`, `container` or `external`."""
    url: str = field(repr=False)
    """A libpq URL, which may contain a password, so it is never printed or stored."""
    version: str
    """`server_version` without the packager's suffix, for example `18.4`."""
    transport: str
    """`tcp`, `unix` or `tls`."""
    authentication: str
    """The method, in PostgreSQL's terms: `trust`, `scram-sha-256`, `md5`, `peer`, ... A pooler does not show
    its method, so there it is `password` or `trust`."""
    pooler: str = ""
    """The pooler in front of it with its mode, for example `pgbouncer-transaction`; empty without one."""
    cluster: str = ""
    """For an external server: digits that distinguish its data from that of others."""
    distance: str = ""
    """For an external server: the class of its round trip (`harness.postgres.identity`)."""
    name: str = ""
    """For an external server: the user's name for it, which replaces the former two."""

    @property
    def identity(self) -> str:
        """The part of a series' name that describes the server, for example `embedded-18.4-tcp-trust`.

        Everything that changes figures is part of it.
        """
        which = (self.name,) if self.name else (self.cluster, self.distance)
        parts = (self.kind, self.version, self.transport, self.authentication, *which, self.pooler)
        return "-".join(filter(None, parts))

    @property
    def title(self) -> str:
        """The identity, and the address of an external server, since two may have the same identity."""
        return f"{self.identity} at {self.address}" if self.kind == "external" else self.identity

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        return address(self.url)

    def sqlalchemy_url(self, application_name: str, driver: Driver = MEASURED) -> str:
        """The URL for `create_engine`.

        It names the driver, because `postgresql://` means another one since SQLAlchemy 2.1. Raises
        `PoolstartError` if the driver does not know a parameter of the server's URL.
        """
        found = driver.url_parameters(parameters(self.url), application_name)
        return render(found, driver.drivername)

    def connect(self, application_name: str = MONITOR) -> "psycopg2.extensions.connection":
        """A psycopg2 connection in autocommit mode, for monitoring.

        Raises `PoolstartError` with libpq's reason if the server does not answer.
        """
        connection = _connect(self.url, application_name=application_name)
        connection.autocommit = True
        return connection

    def require_sessions(self, number: int) -> None:
        """Raises `PoolstartError` if the server does not give this role so many sessions at a time."""
        with ExitStack() as sessions:
            for open_already in range(number):
                try:
                    sessions.enter_context(closing(self.connect()))
                except PoolstartError as error:
                    if not open_already:
                        raise
                    raise PoolstartError(
                        f"{error.problem}, after {open_already} of the {number} sessions that are needed",
                        error.remedy,
                    ) from None

    def to_json(self) -> str:
        """All fields as JSON, the password included, for the environment of child processes."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Server":
        """Read the result of `to_json`. Raises ValueError for anything else."""
        return structure(cls, json.loads(text))


def _connect(url: str, **parameters: Any) -> "psycopg2.extensions.connection":
    if "connect_timeout" not in parse_dsn(url):
        parameters.setdefault("connect_timeout", CONNECT_TIMEOUT)
    try:
        return psycopg2.connect(url, gssencmode="disable", **parameters)
    except psycopg2.OperationalError as error:
        raise refused(error, url) from None


def describe(kind: str, url: str, name: str = "") -> Server:
    """Connect to the server at `url` and read its properties. `name` is the user's name for it.

    libpq's variables, service file and password file may complete the URL; the URL of the result is complete.
    Raises `PoolstartError` with libpq's reason if the server does not answer.
    """

    def connect(**parameters: Any) -> "psycopg2.extensions.connection":
        return psycopg2.connect(url, gssencmode="disable", connect_timeout=CONNECT_TIMEOUT, **parameters)

    connection = _connect(url, application_name=MONITOR)
    connection.autocommit = True
    which: dict[str, str] = {}
    try:
        in_full = resolved(connection, url)
        # The client's own library knows, while behind a pooler the server sees the pooler's connection.
        host = connection.info.host or ""
        transport = "tls" if connection.info.ssl_in_use else "unix" if host.startswith("/") else "tcp"
        version = str(connection.info.parameter_status("server_version")).split()[0]
        used_password = bool(connection.info.used_password)
        _require_patience(connection, in_full)
        if kind == "external":
            which = {
                "cluster": identity.cluster(connection, in_full),
                "distance": identity.distance(connection),
                "name": name,
            }
        # This comes last, because a pooler may close the connection then.
        if between := pooler.detect(connection, connect):
            authentication = "password" if used_password else "trust"
        else:
            authentication = _authentication(connection, transport)
    except psycopg2.Error as error:
        raise broken_off(error, url) from None
    finally:
        connection.close()
    return Server(kind, in_full, version, transport, authentication, between, **which)


def _require_patience(connection: "psycopg2.extensions.connection", url: str) -> None:
    """Raises `PoolstartError` if the server's time limits for idle sessions or statements are too short for a
    run."""
    with connection.cursor() as cursor:
        # Bare numbers are milliseconds. PostgreSQL has idle_session_timeout from version 14 on.
        cursor.execute(
            "select name, setting::int from pg_settings"
            " where name in ('idle_session_timeout', 'statement_timeout')"
        )
        limits = dict(cursor.fetchall())
    limit = limits["statement_timeout"]
    if 0 < limit < 1000 * STATEMENT_S:
        raise PoolstartError(
            f"the server at {location(url)} cancels statements that take longer than {limit / 1000:g} s"
            " (statement_timeout)",
            f"raise it to {STATEMENT_S:g} s or more for this role",
        )
    limit = limits.get("idle_session_timeout", 0)
    if 0 < limit < 1000 * IDLE_S:
        raise PoolstartError(
            f"the server at {location(url)} ends sessions that are idle for {limit / 1000:g} s"
            " (idle_session_timeout)",
            f"raise it to {IDLE_S:g} s or more for this role",
        )


def _authentication(connection: "psycopg2.extensions.connection", transport: str) -> str:
    """The method by which a connection to the server itself was authenticated."""
    with connection.cursor() as cursor:
        if connection.info.server_version >= 160000:
            # NULL under trust, else "method:identity".
            cursor.execute("select system_user")
            (system_user,) = cursor.fetchone() or (None,)
            return str(system_user).split(":")[0] if system_user else "trust"
        if connection.info.used_password:
            cursor.execute("show password_encryption")
            (encryption,) = cursor.fetchone() or ("password",)
            return str(encryption)
    return "trust" if transport != "unix" else "nopassword"

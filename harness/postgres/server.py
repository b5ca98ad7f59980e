"""A PostgreSQL server: its URL, and the properties that are part of every result."""

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg2
from psycopg2.extensions import parse_dsn
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from harness.drivers import MEASURED
from harness.postgres import pooler
from harness.system.errors import PoolstartError
from harness.system.structure import structure

CONNECT_TIMEOUT = 10
"""Seconds for a server to answer."""

AS_WRITTEN = f"write it as {MEASURED.drivername}://user:password@host:5432/database"

REMEDIES = {
    r"authentication failed|no password|role .* does not exist": "check the user and the password in the URL",
    r"database .* does not exist": "name a database that the server has",
    r"no pg_hba.conf entry": "allow this machine in the server's pg_hba.conf",
    r"too many clients|connection slots": "end some of the server's sessions",
    r"SSL|certificate": "check sslmode and the certificates in the URL",
    r"invalid (\S+ value|integer|port)": "correct it in the URL",
}
"""What to do about an error, by a pattern of libpq's message."""


@dataclass(frozen=True)
class Server:
    """A reachable server. Results of servers that differ in more than the URL are separate series."""

    kind: str
    """`embedded`, `container` or `external`."""
    url: str = field(repr=False)
    """A libpq URL, which may hold a password: it is never printed or stored."""
    version: str
    """`server_version` without the packager's suffix, for example `18.4`."""
    transport: str
    """`tcp`, `unix` or `tls`."""
    authentication: str
    """The method, in PostgreSQL's terms: `trust`, `scram-sha-256`, `md5`, `peer`, ... Through a pooler, whose
    method is not known: `password`, or `trust`."""
    pooler: str = ""
    """A pooler in between and its mode, for example `pgbouncer-transaction`; empty if there is none."""

    @property
    def identity(self) -> str:
        """The part of a series' name that describes the server, for example `embedded-18.4-tcp-trust`."""
        return f"{self.kind}-{self.version}-{self.transport}-{self.authentication}"

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        url = make_url(self.url)
        return f"{url.host}:{url.port or 5432}"

    def sqlalchemy_url(self, application_name: str) -> str:
        """The URL for `create_engine`.

        It names the driver, because `postgresql://` means another one since SQLAlchemy 2.1. It disables
        GSSAPI, whose negotiation takes time at every connect, and on some machines very long.
        """
        return libpq_url(
            make_url(self.url)
            .set(drivername=MEASURED.drivername)
            .update_query_dict({"gssencmode": "disable", "application_name": application_name})
        )

    def connect(self, application_name: str = "poolstart-monitor") -> "psycopg2.extensions.connection":
        """A psycopg2 connection in autocommit mode, for monitoring.

        Raises `PoolstartError` with libpq's reason if the server does not answer.
        """
        connection = _connect(self.url, application_name)
        connection.autocommit = True
        return connection

    def to_json(self) -> str:
        """All fields as JSON, the password included, for the environment of child processes."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Server":
        """Read the result of `to_json`. Raises ValueError for anything else."""
        return structure(cls, json.loads(text))


def libpq_url(url: URL) -> str:
    """The URL as text, with its password."""
    return url.render_as_string(hide_password=False)


def parse_url(text: str, source: str) -> str:
    """`text` as a libpq URL. `source` is the name of the setting that holds it.

    Raises `PoolstartError` if it is not a URL of a PostgreSQL database, or names a driver that is not
    measured.
    """
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        raise PoolstartError(f"{source} is not a database URL", AS_WRITTEN) from None
    backend = url.get_backend_name()
    if backend not in {"postgresql", "postgres"}:
        raise PoolstartError(
            f"{source} names {backend!r}, but poolstart measures PostgreSQL only", AS_WRITTEN
        )
    driver = url.drivername.partition("+")[2]
    if driver not in {"", MEASURED.name}:
        raise PoolstartError(
            f"{source} names the driver {driver!r}, but poolstart measures {MEASURED.name} only", AS_WRITTEN
        )
    if isinstance(password := url.query.get("password"), str):
        # SQLAlchemy hides a password only in its usual place.
        url = url.difference_update_query(["password"]).set(password=password)
    given = libpq_url(url.set(drivername="postgresql"))
    try:
        parse_dsn(given)
    except psycopg2.ProgrammingError as error:
        reason = str(error).removeprefix("invalid dsn: ")
        raise PoolstartError(
            f"{source} is not a URL that libpq understands: {reason}",
            "its parameters are those of https://www.postgresql.org/docs/current/libpq-connect.html",
        ) from None
    return given


def _connect(url: str, application_name: str) -> "psycopg2.extensions.connection":
    timeout = {} if "connect_timeout" in make_url(url).query else {"connect_timeout": CONNECT_TIMEOUT}
    try:
        return psycopg2.connect(url, gssencmode="disable", application_name=application_name, **timeout)
    except psycopg2.OperationalError as error:
        # "connection to server at ..., port ... failed: <reason>", then a hint, or a second attempt.
        line = str(error).strip().splitlines()[0]
        reason = line.partition(" failed: ")[2] or line
        # Without the query, which may hold a password.
        where = make_url(url).set(query={}).render_as_string(hide_password=True)
        remedy = next(
            (advice for sign, advice in REMEDIES.items() if re.search(sign, reason)),
            "check that the server runs and that host and port are right",
        )
        raise PoolstartError(f"no connection to {where}: {reason}", remedy) from None


def describe(kind: str, url: str) -> Server:
    """Connect to the server at `url` and read its properties.

    Raises `PoolstartError` with libpq's reason if it does not answer.
    """

    def connect(**parameters: Any) -> "psycopg2.extensions.connection":
        return psycopg2.connect(url, gssencmode="disable", **parameters)

    connection = _connect(url, "poolstart-monitor")
    connection.autocommit = True
    try:
        # Asked of the client's own library: behind a pooler, the server sees the pooler's connection.
        host = connection.info.host or ""
        transport = "tls" if connection.info.ssl_in_use else "unix" if host.startswith("/") else "tcp"
        version = str(connection.info.parameter_status("server_version")).split()[0]
        used_password = bool(connection.info.used_password)
        if between := pooler.detect(connection, connect):
            authentication = "password" if used_password else "trust"
        else:
            authentication = _authentication(connection, transport)
    except psycopg2.Error as error:
        raise PoolstartError(
            f"the server at {make_url(url).host} does not answer as PostgreSQL does: {error}",
            "point it at a PostgreSQL server",
        ) from None
    finally:
        connection.close()
    return Server(kind, url, version, transport, authentication, between)


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

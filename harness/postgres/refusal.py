"""Why a server could not be reached or ended a connection, and what to do about it.

The remedy follows from the cause: the SQLSTATE that the server sends, which psycopg2 hides if a connection
was refused; the error of the operating system; or words in the message of server, libpq or PgBouncer. There
is no remedy for a cause that is not listed.
"""

import errno
import os
import re

import psycopg2
import psycopg2.errors

from harness.postgres.url import hide, location
from harness.system.errors import PoolstartError

STATES = {
    "22023": "correct the options in the URL",
    "25P03": "raise idle_in_transaction_session_timeout for this role",
    "25P04": "raise transaction_timeout for this role",
    "28000": "check that the role exists, may log in, and may connect from this machine (pg_hba.conf)",
    "28P01": "check the user and the password in the URL",
    "3D000": "name a database that the server has",
    "42501": "grant the role the privilege that it lacks",
    "42601": "correct the options in the URL",
    "42704": "correct the options in the URL",
    "42883": "point it at a PostgreSQL server",
    "42P01": "point it at a PostgreSQL server",
    "53100": "make room on the server's disk",
    "53200": "free memory on the server's machine",
    "53300": "end some of the server's sessions, or raise the limit of connections",
    "55000": "name a database that accepts connections",
    "55P02": "remove this setting from the options in the URL",
    "57014": "raise statement_timeout for this role",
    "57P01": "wait until the server is up again",
    "57P02": "wait until the server is up again",
    "57P03": "wait until the server accepts connections",
    "57P05": "raise idle_session_timeout for this role",
}
"""Remedies by SQLSTATE.

Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

ERRORS = {
    errno.ECONNREFUSED: "check that the server runs and that host and port are right",
    errno.ENOENT: "check that the server runs and that host and port are right",
    errno.ETIMEDOUT: "check host and port, and that no firewall is in between",
    errno.EHOSTUNREACH: "check the host and the network",
    errno.ENETUNREACH: "check the host and the network",
    errno.EACCES: "use an account that may open this socket",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
}
"""Remedies by the error of the operating system."""

WORDS = {
    "timeout expired": ERRORS[errno.ETIMEDOUT],
    "could not translate host name": "check the host",
    "no password supplied": "give a password in the URL",
    "pg_hba.conf": STATES["28000"],
    "not currently accepting connections": STATES["55000"],
    "permission denied": STATES["42501"],
    "the database system is": STATES["57P03"],
    **dict.fromkeys(("too many connections", "too many clients", "connection slots"), STATES["53300"]),
    # "database X does not exist", "role X is not permitted to log in". More specific words come first.
    'database "': STATES["3D000"],
    'role "': STATES["28000"],
    "unrecognized configuration parameter": STATES["42704"],
    "invalid value for parameter": STATES["22023"],
    "requires a value": STATES["42601"],
    "does not support SSL": "remove sslmode from the URL, or set up TLS on the server",
    "certificate": "check sslmode, sslrootcert and sslcert in the URL",
    "root.crt": "check sslmode and sslrootcert in the URL",
    "unsupported startup parameter": "remove this parameter from the URL, or allow it by PgBouncer's "
    "ignore_startup_parameters",
    "no more connections allowed": "raise PgBouncer's max_client_conn, or end some of its clients",
    "query_wait_timeout": "raise PgBouncer's default_pool_size, or check the server behind it",
    "server login failed": "check the server behind PgBouncer",
    "bouncer config error": "name a database that PgBouncer has",
    "no such database": "name a database that PgBouncer has",
    "login rejected": "allow this user and address in PgBouncer's auth_hba_file",
    "no authentication method": "allow this user and address in PgBouncer's auth_hba_file",
    "authentication failed": STATES["28P01"],
    'prepared statement "_': "behind a pooler in transaction mode, set PgBouncer's max_prepared_statements "
    "(1.21 or later), or measure psycopg2, which prepares nothing",
    # psycopg2 hides the reason for which PgBouncer ends a client that waits for a session.
    "server closed the connection": "see the log of the server, or of a pooler in between: all its sessions "
    "may be in use",
    "invalid port number": "correct it in the URL",
    "invalid integer value": "correct it in the URL",
    "definition of service": "check the service file, or PGSERVICE",
    "service file": "check the service file, or PGSERVICEFILE",
}
"""Remedies by words in the message of server, libpq or PgBouncer."""

INVALID = re.compile(r"invalid \S+ value")


def refused(error: psycopg2.OperationalError, url: str) -> PoolstartError:
    """The error for a connection to `url` that failed."""
    # "connection to server at ..., port ... failed: <reason>", then a hint, or a second attempt.
    line = str(error).strip().splitlines()[0]
    reason = line.partition(" failed: ")[2] or line
    reason = FROM_SERVER.sub("", reason)
    return PoolstartError(f"no connection to {location(url)}: {hide(reason, url)}", remedy("", reason))


def broken_off(error: psycopg2.Error, url: str) -> PoolstartError:
    """The error for a query that failed on a connection to `url`."""
    # libpq continues in further lines: "This probably means the server terminated abnormally ..."
    reason = FROM_SERVER.sub("", (str(error).strip() or "no reason given").splitlines()[0])
    return PoolstartError(
        f"the server at {location(url)} broke off: {hide(reason, url)}", remedy(error.pgcode or "", reason)
    )


def remedy(state: str, reason: str) -> str:
    """The remedy for an error with this SQLSTATE, or else with this message of libpq; empty if unknown."""
    if advice := STATES.get(state):
        return advice
    for number, advice in ERRORS.items():
        if reason.endswith(os.strerror(number)):
            return advice
    if INVALID.search(reason):
        return "correct it in the URL"
    return next((advice for words, advice in WORDS.items() if words in reason), "")


def remedy_in(text: str) -> str:
    """The remedy for an error that a measured process has printed; empty if its cause is unknown."""
    raised = RAISED.search(text)
    states = [state for state in STATES if raised and _class_of(state) == raised[1]]
    return remedy("".join(states[:1]), text)


RAISED = re.compile(r"\(psycopg2\.errors\.(\w+)\)")
"""The name of psycopg2's exception for a SQLSTATE, in a message of SQLAlchemy."""


def _class_of(state: str) -> str:
    return str(psycopg2.errors.lookup(state).__name__)


FROM_SERVER = re.compile(r"\w+:  ")
"""The severity before a message that a server sent, in the server's language."""

"""Whether a pooler such as PgBouncer stands between a client and its server, and in which mode.

A pooler gives each client a cancellation key of its own, so the process id in that key is not the pid of the
backend that answers. The backends that two clients see show the mode.
"""

import select
import time
from collections.abc import Callable
from contextlib import closing

import psycopg2
from psycopg2 import extensions

from harness.system.errors import PoolstartError

ANSWER_DEADLINE = 5.0
"""Seconds for a pooler to give a second client a session."""

TURNS = 3
"""Queries that each of two clients sends in turns."""

UNKNOWN_PARAMETER = "unsupported startup parameter"
"""PgBouncer's message when it refuses a setting in the startup packet."""

Connect = Callable[..., "psycopg2.extensions.connection"]
"""A function that connects to the server with further parameters."""


def detect(connection: "psycopg2.extensions.connection", connect: Connect) -> str:
    """The pooler and its mode, for example `pgbouncer-transaction`; empty if there is none.

    `connection` is in autocommit mode. If there is a pooler, `connect` makes further connections, and
    `connection` may be closed. Raises `PoolstartError` if the pooler does not serve two clients at a time.
    """
    if connection.info.backend_pid == _backend(connection):
        return ""
    return f"{_name(connect)}-{_mode(connection, connect)}"


def title(pooler: str) -> str:
    """A pooler for messages: `the server is reached through PgBouncer in transaction mode`."""
    name, _, mode = pooler.rpartition("-")
    shown = {"pgbouncer": "PgBouncer"}.get(name, f"a {name}")
    return f"the server is reached through {shown} in {mode} mode"


def _name(connect: Connect) -> str:
    try:
        # PostgreSQL accepts any setting with a dot in its name; PgBouncer does not.
        connect(options="-c poolstart.pooler=on").close()
    except psycopg2.OperationalError as error:
        return "pgbouncer" if UNKNOWN_PARAMETER in str(error) else "pooler"
    return "pooler"


def _mode(connection: "psycopg2.extensions.connection", connect: Connect) -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("begin")
            cursor.execute("rollback")
    except psycopg2.Error:
        return "statement"
    # In transaction mode an idle client holds no session: both clients may get the same one, or one client
    # gets different sessions.
    with closing(connect(async_=True)) as other:
        _wait(other)
        first: set[int] = set()
        second: set[int] = set()
        for _ in range(TURNS):
            first.add(_backend(connection))
            second.add(_backend(other))
    return "session" if len(first) == len(second) == 1 and first != second else "transaction"


def _backend(connection: "psycopg2.extensions.connection") -> int:
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        if connection.async_:
            _wait(connection)
        ((pid,),) = cursor.fetchall()
        return int(pid)


def _wait(connection: "psycopg2.extensions.connection") -> None:
    """Wait for an asynchronous connection. Raises `PoolstartError` if the pooler does not answer in time."""
    until = time.monotonic() + ANSWER_DEADLINE
    while (state := connection.poll()) != extensions.POLL_OK:
        remaining = max(0.0, until - time.monotonic())
        reading, writing = ([connection], []) if state == extensions.POLL_READ else ([], [connection])
        if not any(select.select(reading, writing, [], remaining)):
            raise PoolstartError(
                f"the pooler gives a second client no session in {ANSWER_DEADLINE:g} s",
                "raise its default_pool_size, or set POOLSTART_URL to the server behind it",
            )

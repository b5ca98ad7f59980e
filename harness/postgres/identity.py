"""How external servers are distinguished: by their data and distance, or by a name that the user gives."""

import os
import re
import time
from hashlib import sha256

import psycopg2

from harness.postgres.url import address
from harness.system.errors import PoolstartError

NAME = "POOLSTART_SERVER_NAME"
"""Environment variable: a name for the server of `POOLSTART_URL`, which keeps its series apart."""

VALID_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._]{0,38}[a-z0-9])?")

ROUND_TRIPS = 20
"""Number of queries; the fastest is taken as the round trip."""

CLASSES_MS = (1, 3, 10, 30, 100, 300, 1000)
"""Milliseconds at which each class of round trips begins; faster ones have no class."""


def given_name() -> str:
    """The name that the user gives the server; empty if there is none.

    Raises `PoolstartError` if it cannot be a part of a series' name.
    """
    name = os.environ.get(NAME, "")
    if name and not VALID_NAME.fullmatch(name):
        raise PoolstartError(
            f"{NAME}={name} is no name", "use up to 40 small letters, digits, dots and underscores"
        )
    return name


def cluster(connection: "psycopg2.extensions.connection", url: str) -> str:
    """Eight hexadecimal digits that distinguish the server's data from that of others.

    They are derived from PostgreSQL's system identifier, which every role may read unless that was revoked,
    or else from the address in `url`. `connection` is in autocommit mode.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("select system_identifier from pg_control_system()")
            ((identifier,),) = cursor.fetchall()
    except psycopg2.errors.lookup("42501"):  # insufficient_privilege
        identifier = address(url)
    return sha256(str(identifier).encode()).hexdigest()[:8]


def distance(connection: "psycopg2.extensions.connection") -> str:
    """The class of the server's round trip, named by its lower end: `100ms`; empty below a millisecond."""
    return class_of(min(_round_trip(connection) for _ in range(ROUND_TRIPS)))


def class_of(seconds: float) -> str:
    """The class of a round trip."""
    begins = [start for start in CLASSES_MS if seconds * 1e3 >= start]
    return f"{begins[-1]}ms" if begins else ""


def _round_trip(connection: "psycopg2.extensions.connection") -> float:
    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute("select 1")
        return time.perf_counter() - began

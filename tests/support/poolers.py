"""PgBouncer in front of a server, where there is one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.poolers import pgbouncer as poolers
from harness.postgres.server import Server

MODES = ("session", "transaction", "statement")


def missing() -> str:
    try:
        poolers.version()
    except poolers.NoPgBouncer as error:
        return str(error)
    return ""


needs_pgbouncer = pytest.mark.skipif(
    "POOLSTART_REQUIRE_POOLER" not in os.environ and bool(missing()), reason=missing() or "there is one"
)


@contextmanager
def pgbouncer(server: Server, mode: str, unix: bool = False, **settings: str) -> Iterator[str]:
    """The URL of a PgBouncer in this mode in front of the server, with further `settings`."""
    with poolers.started(server, mode, settings, unix=unix) as through:
        yield through.url

"""PgBouncer in front of a server, where there is one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
def pgbouncer(server: Server, mode: str, **settings: str) -> Iterator[str]:
    """The URL of a PgBouncer in this mode in front of the server, with further `settings`."""
    with poolers.started(server, mode, settings) as through:
        yield through.url


@contextmanager
def pgbouncer_on_unix_socket(server: Server) -> Iterator[tuple[str, str]]:
    """The URL of a PgBouncer in session mode, and a folder with a Unix socket on which it listens too."""
    with tempfile.TemporaryDirectory() as folder:
        # It runs under the server's account.
        Path(folder).chmod(0o777)
        with pgbouncer(server, "session", unix_socket_dir=folder) as url:
            yield url, folder

"""PgBouncer in front of a server, as a process of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.postgres import embedded
from harness.postgres.server import Server
from harness.postgres.url import parameters, render
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

MODES = ("session", "transaction", "statement")

needs_pgbouncer = pytest.mark.skipif(
    PROGRAM is None and "POOLSTART_REQUIRE_POOLER" not in os.environ,
    reason="no program pgbouncer: install the package of this name",
)

START_DEADLINE = 10.0
"""Seconds for PgBouncer to listen."""


@contextmanager
def pgbouncer(server: Server, mode: str, unix: bool = False, **settings: str) -> Iterator[str]:
    """PgBouncer in this mode in front of the server; yields the URL of a client. It asks for no password.

    With `unix` the URL is that of a Unix socket. `settings` are further ones of its configuration.
    """
    behind = parameters(server.url)
    assert PROGRAM, "no program pgbouncer"
    with Supervision() as supervision:
        directory = supervision.directory()
        port = embedded.free_port()
        lines = {
            "listen_addr": embedded.LOOPBACK,
            "listen_port": str(port),
            "unix_socket_dir": str(directory) if unix else "",
            "auth_type": "any",
            "pool_mode": mode,
            **settings,
        }
        configuration = directory / "pgbouncer.ini"
        configuration.write_text(
            "[databases]\n{dbname} = host={host} port={port} user={user}\n".format(**behind)
            + "[pgbouncer]\n"
            + "".join(f"{name} = {value}\n" for name, value in lines.items())
        )
        account = embedded._account()
        for path in (directory, configuration):
            os.chown(path, account.get("user", -1), account.get("group", -1))
        log = directory / "log"
        with log.open("wb") as output:
            process = supervision.start(
                [PROGRAM, configuration],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **account,
            )
        listening = wait_until(
            lambda: process.poll() is not None or "process up" in read(log), START_DEADLINE, poll=0.01
        )
        assert listening, read(log)
        assert process.poll() is None, read(log)
        host = str(directory) if unix else embedded.LOOPBACK
        yield render({**behind, "host": host, "port": str(port)})


def read(log: Path) -> str:
    return log.read_text(errors="replace")

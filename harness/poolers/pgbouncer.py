"""PgBouncer in front of a server, started and stopped here as the embedded server is."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.postgres import embedded
from harness.postgres.binaries import printed
from harness.postgres.server import Server
from harness.postgres.url import parameters, render
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.system import processors
from harness.system.errors import PoolstartError

PROGRAM = "POOLSTART_PGBOUNCER"
"""Environment variable: the program to use instead of the one on PATH or in /usr/sbin."""

START_DEADLINE = 10.0
"""Seconds for PgBouncer to listen."""

REMEDY = f"install the package pgbouncer, or set {PROGRAM} to the program"


class NoPgBouncer(PoolstartError):
    """There is no PgBouncer on this machine."""


def program() -> Path:
    """The program. Raises `NoPgBouncer` if there is none."""
    chosen = os.environ.get(PROGRAM)
    found = shutil.which(chosen or "pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not found:
        raise NoPgBouncer(f"{PROGRAM}={chosen} does not run" if chosen else "there is no PgBouncer", REMEDY)
    return Path(found)


def version() -> str:
    """Its version, for example `1.18.0`. Raises `PoolstartError` if the program is missing or another one."""
    found = program()
    try:
        out = printed(found, "--version")
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPgBouncer(f"{found.name} does not run: {error}", REMEDY) from None
    match = re.match(r"PgBouncer (?:version )?(\d[\w.]*)", out)
    if not match:
        raise NoPgBouncer(f"{found.name} is no PgBouncer", REMEDY)
    return match[1]


@contextmanager
def started(
    server: Server, mode: str, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Server]:
    """The server through PgBouncer in this mode, until the context ends. It asks for no password.

    `settings` are further ones of its configuration. Raises `PoolstartError` if it cannot be started.
    """
    behind = parameters(server.url)
    with Supervision() as supervision:
        directory = supervision.directory()
        configuration, log = directory / "pgbouncer.ini", directory / "log"
        account = embedded.server_account()
        os.chown(directory, account.get("user", -1), account.get("group", -1))
        for _ in range(5):
            port = embedded.free_port()
            lines = {
                "listen_addr": embedded.LOOPBACK,
                "listen_port": str(port),
                "unix_socket_dir": "",
                "auth_type": "any",
                "pool_mode": mode,
                **settings,
            }
            configuration.write_text(
                "[databases]\n{dbname} = host={host} port={port} user={user}".format(**behind)
                + "\n[pgbouncer]\n"
                + "".join(f"{name} = {value}\n" for name, value in lines.items())
            )
            os.chown(configuration, account.get("user", -1), account.get("group", -1))
            with log.open("wb") as output:
                process = supervision.start(
                    [program(), configuration],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd="/",
                    **account,
                )
            if _listens(process, log):
                break
            supervision.stop(process)
            if "Address already in use" not in log.read_text(errors="replace"):
                raise embedded.failed("PgBouncer did not start", log)
        else:
            raise embedded.failed("PgBouncer did not start", log)
        processors.pin(process.pid)
        url = render({**behind, "host": embedded.LOOPBACK, "port": str(port)})
        yield replace(server, url=url, pooler=f"pgbouncer-{mode}")


def _listens(process: "subprocess.Popen[Any]", log: Path) -> bool:
    def up() -> bool:
        return "process up" in log.read_text(errors="replace")

    wait_until(lambda: process.poll() is not None or up(), START_DEADLINE, poll=0.005)
    return process.poll() is None and up()

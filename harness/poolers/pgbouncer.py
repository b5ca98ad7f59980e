"""PgBouncer in front of a server, started and stopped here as the embedded server is."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg2

from harness.postgres import embedded
from harness.postgres.server import Server
from harness.postgres.url import parameters, render
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.system import processors
from harness.system.errors import PoolstartError, hint_in

PROGRAM = "POOLSTART_PGBOUNCER"
"""Environment variable: the program to use instead of the one on PATH or in /usr/sbin."""

ADMIN = "pgbouncer"
"""The database of PgBouncer's console."""

START_DEADLINE = 10.0
"""Seconds for PgBouncer to listen."""

REMEDY = f"install the package pgbouncer, or set {PROGRAM} to the program"


class NoPgBouncer(PoolstartError):
    """There is no PgBouncer on this machine."""


@dataclass(frozen=True)
class Pooler:
    """A running PgBouncer."""

    server: Server
    """The server as its clients see it; PgBouncer is part of its identity."""
    version: str
    process: "subprocess.Popen[Any]"

    def clients(self) -> int:
        """The connections of clients, without that of the console."""
        return sum(row["database"] != ADMIN for row in self.show("clients"))

    def waiting(self) -> int:
        """The clients that wait for a session."""
        return sum(int(row["cl_waiting"]) for row in self.show("pools"))

    def show(self, what: str) -> list[dict[str, Any]]:
        """A table of PgBouncer's console, by the names of its columns."""
        url = render({**parameters(self.server.url), "dbname": ADMIN})
        with closing(psycopg2.connect(url, gssencmode="disable")) as connection:
            # The console knows no transactions.
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f"show {what}")
                names = [column.name for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


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
        out = subprocess.run(
            [found, "--version"], capture_output=True, text=True, timeout=START_DEADLINE, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPgBouncer(f"{found.name} does not run: {error}", REMEDY) from None
    match = re.match(r"PgBouncer (?:version )?(\d[\w.]*)", out)
    if not match:
        raise NoPgBouncer(f"{found.name} is no PgBouncer", REMEDY)
    return match[1]


@contextmanager
def started(
    server: Server,
    mode: str,
    settings: Mapping[str, str] = MappingProxyType({}),
    *,
    unix: bool = False,
    database: str = "",
) -> Iterator[Pooler]:
    """PgBouncer in this mode in front of the server, until the context ends. It asks for no password.

    With `unix`, clients use a Unix socket. `settings` are further ones of its configuration, and `database`
    those of the line of its database. Raises `PoolstartError` if it cannot be started.
    """
    behind, number = parameters(server.url), version()
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
                "unix_socket_dir": str(directory) if unix else "",
                "auth_type": "any",
                "pool_mode": mode,
                **settings,
            }
            configuration.write_text(
                "[databases]\n{dbname} = host={host} port={port} user={user}".format(**behind)
                + f" {database}\n[pgbouncer]\n"
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
                raise _failed(log)
        else:
            raise _failed(log)
        processors.pin(process.pid)
        host = str(directory) if unix else embedded.LOOPBACK
        url = render({**behind, "host": host, "port": str(port)})
        yield Pooler(replace(server, url=url, pooler=f"pgbouncer-{mode}"), number, process)


def _listens(process: "subprocess.Popen[Any]", log: Path) -> bool:
    wait_until(
        lambda: process.poll() is not None or "process up" in log.read_text(errors="replace"),
        START_DEADLINE,
        poll=0.005,
    )
    return process.poll() is None and "process up" in log.read_text(errors="replace")


def _failed(log: Path) -> PoolstartError:
    """The error for a PgBouncer that does not listen: its first error, because others follow from it."""
    text = log.read_text(errors="replace").strip()
    error = re.search(r"(?:FATAL|ERROR) +(.+)", text)
    reason = error[1] if error else text.rpartition("\n")[2] or "no error message"
    return PoolstartError(f"PgBouncer did not start: {reason}", hint_in(text))

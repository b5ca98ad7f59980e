"""What one asv process provides to the benchmarks it runs: a server, a place for files, an account of time.

All of it is in the supervision of asv's process and ends with it, `kill -9` included.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from asv.console import log

from harness.lifecycles import plan
from harness.postgres import embedded, locate
from harness.postgres.server import CONNECT_TIMEOUT, Server
from harness.processes.supervision import NESTED, Supervision
from harness.releases import machine
from harness.system import conditions
from harness.system.errors import PoolstartError

REMARKS = ("n/a: ", "noisy: ")
"""How a reason begins that is no failure."""

DRAIN_DEADLINE = 2.0
"""Seconds to read what is left of a benchmark's output once its process group has ended."""


class Run:
    """The run that this asv process is. Made by `current`, closed when the process ends."""

    def __init__(self) -> None:
        self._supervision = Supervision()
        # asv and the benchmarks leave temporary files behind when they are killed: all of them go
        # into one directory that does not outlive the run. It is open for passing through, as the
        # embedded server works below it under another account.
        directory = self._supervision.directory(room=NESTED)
        directory.chmod(0o711)
        tempfile.tempdir = os.environ["TMPDIR"] = str(directory)
        self._account = directory / "conditions.json"
        self._server: Server | None = None
        self._began = time.monotonic()
        self._spent: dict[str, float] = {}
        self._notes: set[str] = set()
        self._failures: dict[str, None] = {}
        # After the supervision, so that it is called before that is closed.
        atexit.register(self._report)

    def environment(self, identity: str) -> dict[str, str]:
        """What a benchmark process is told of the run, whose results are filed under a server's identity.

        Raises `PoolstartError` when the server there is now is another one: a compose service, for
        example, that came up meanwhile.
        """
        server = self._running_server()
        if server.identity != identity:
            raise PoolstartError(
                f"the server is {server.identity}, and this run began with {identity}", "start the run again"
            )
        return {locate.RUN: server.to_json(), plan.ACCOUNT: str(self._account)}

    def starting(self) -> AbstractContextManager[None]:
        """What asv starts meanwhile is owned from the first moment on."""
        return self._supervision.owning_forks()

    def register(self, process: "subprocess.Popen[bytes]") -> None:
        """Own a process that asv started as leader of its group and ends by itself."""
        self._supervision.register(process)

    def let_go(self, process: "subprocess.Popen[bytes]") -> None:
        """A process that asv has ended is no longer held."""
        self._supervision.stop(process)

    def file_conditions(self, results: Path, environment: str) -> None:
        """Put the conditions that a benchmark process left beside the results they belong to."""
        if not self._account.exists():
            return
        account = {"environment": environment, **json.loads(self._account.read_text())}
        self._account.unlink()
        conditions.save(results / machine.name(machine.told(sys.argv)), account)

    def watch(
        self, process: "subprocess.Popen[bytes]", timeout: float | None, purpose: str
    ) -> tuple[str, bool]:
        """Hold a benchmark process until it ends, at most `timeout` seconds, which are booked on its purpose.

        Returns its output, and whether it ended by itself. What it leaves running in its process group
        is ended with it.
        """
        began = time.monotonic()
        self._supervision.register(process)
        chunks: list[bytes] = []
        reader = threading.Thread(target=drain, args=(process.stdout, chunks), daemon=True)
        reader.start()
        try:
            process.wait(timeout)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
        finally:
            self._supervision.stop(process)
            self._spent[purpose] = self._spent.get(purpose, 0) + time.monotonic() - began
        # Whoever left the group may hold the pipe for ever.
        reader.join(DRAIN_DEADLINE)
        return b"".join(chunks).decode("utf-8", "replace"), ended

    def hear(self, told: Sequence[str]) -> None:
        """What a process said that ended well: remarks, and what it could not measure."""
        for reason in told:
            (self.note if reason.startswith(REMARKS) else self.fail)(reason)

    def note(self, reason: str) -> None:
        """Tell once what a benchmark had to say though it did not fail."""
        if reason not in self._notes:
            self._notes.add(reason)
            log.warning(reason)

    def fail(self, reason: str) -> None:
        """Note why a benchmark failed; every reason is told at once, and once more at the end."""
        if reason not in self._failures:
            self._failures[reason] = None
            log.error(reason)

    def _running_server(self) -> Server:
        if self._server and self._server.kind == "embedded" and not listens(self._server):
            log.warning("the embedded PostgreSQL died, starting another one")
            self._server = None
        if self._server is None:
            self._server = locate.running() or embedded.start(self._supervision)
        return self._server

    def _report(self) -> None:
        log.flush()
        if self._spent:
            print(f"poolstart: {account(time.monotonic() - self._began, self._spent)}")
        for reason in self._failures:
            print(f"poolstart: failed: {reason}")


def drain(pipe: IO[bytes], chunks: list[bytes]) -> None:
    """Collect all that comes out of a pipe, and close it."""
    with pipe:
        chunks.extend(iter(lambda: os.read(pipe.fileno(), 65536), b""))


@cache
def current() -> Run:
    """The run of this process."""
    return Run()


def listens(server: Server) -> bool:
    """Whether anybody accepts connections where the server was."""
    where = urlsplit(server.url)
    try:
        with socket.create_connection((where.hostname, where.port), timeout=CONNECT_TIMEOUT):
            return True
    except OSError:
        return False


def account(seconds: float, spent: Mapping[str, float]) -> str:
    """Where the `seconds` of a run went, in one line."""

    def part(some: float) -> str:
        return f"{some:.0f} s ({100 * some / seconds:.0f} %)"

    parts = [f"{part(some)} {purpose}" for purpose, some in spent.items()]
    parts.append(f"{part(seconds - sum(spent.values()))} asv and the rest")
    return f"{seconds:.0f} s: {', '.join(parts)}"

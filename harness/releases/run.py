"""The run of an asv process: a server and a temporary directory for its benchmarks, and a report of the time.

All of it belongs to asv's process and ends with it, even if that is killed by `kill -9`.
"""

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from asv.console import log
from packaging.version import Version

from harness.lifecycles import asv_run
from harness.postgres import embedded, locate
from harness.postgres.identity import NAME
from harness.postgres.server import CONNECT_TIMEOUT, Server
from harness.processes import heartbeat
from harness.processes.heartbeat import Heartbeat
from harness.processes.supervision import NESTED, Supervision
from harness.releases import machine, venvs
from harness.system import conditions, files, pythons
from harness.system.errors import PoolstartError

REMARKS = ("n/a: ", "noisy: ", "busy: ", "on record: ")
"""The prefixes of messages that are not failures."""

DRAIN_DEADLINE = 2.0
"""Seconds to read the rest of a benchmark's output after its process group has ended."""


class AsvRun:
    """The run of this asv process. `current` creates it; it is closed when the process ends."""

    def __init__(self) -> None:
        self._supervision = Supervision()
        # asv and the benchmarks leave temporary files behind when they are killed, so these are all in one
        # directory that is removed with the run. Other accounts may traverse it, because the embedded server
        # of a run by root has another account and a directory below it.
        directory = self._supervision.directory(room=NESTED)
        directory.chmod(0o711)
        tempfile.tempdir = os.environ["TMPDIR"] = str(directory)
        self._conditions = directory / "conditions.json"
        self._progress = directory / "progress"
        self._saved = directory / "saved"
        os.environ[heartbeat.FILE] = str(self._progress)
        self._server: Server | None = None
        self._began = time.monotonic()
        self._spent: dict[str, float] = {}
        self._warnings: set[str] = set()
        self._failures: dict[str, None] = {}
        self._left_out: dict[str, str] = {}
        self._last_failure = ""
        # It is registered after the supervision, and so is called before that is closed.
        atexit.register(self._report)

    def environment(self, identity: str) -> dict[str, str]:
        """Environment variables for a benchmark process, which name the server and the file for conditions.

        `identity` is that of the server under which the results are stored. Raises `PoolstartError` if the
        current server is another one, for example a compose service that was started meanwhile.
        """
        server = self._running_server()
        if server.identity != identity:
            name = f", or name the server by {NAME}" if server.kind == "external" else ""
            raise PoolstartError(
                f"the server is {server.identity}, but this run began with {identity}",
                f"start the run again{name}",
            )
        self._conditions.unlink(missing_ok=True)
        shutil.rmtree(self._saved, ignore_errors=True)
        self._saved.mkdir()
        return {
            locate.RUN: server.to_json(),
            asv_run.METADATA: str(self._conditions),
            asv_run.SAVED: str(self._saved),
        }

    def saved(self) -> Mapping[str, str]:
        """Environment variables for a benchmark process that reads the blocks of one that failed.

        Empty if that process had not completed a block.
        """
        return asv_run.again(self._saved)

    def starting(self) -> AbstractContextManager[None]:
        """A context in which the run owns each process that asv starts."""
        return self._supervision.owning_forks()

    def register(self, process: "subprocess.Popen[bytes]") -> None:
        """Own a process that asv has started as leader of its group, and will end itself."""
        self._supervision.register(process)

    def forget(self, process: "subprocess.Popen[bytes]") -> None:
        """Forget a process that asv has ended."""
        self._supervision.stop(process)

    def store_conditions(self, results: Path, environment: str, python: str) -> None:
        """Store the conditions that a benchmark process has written beside its results, if there are any.

        `environment` is asv's name of the environment, and `python` what its results are filed under, `3.14`,
        or `3.14t` of a free-threaded build. Raises `PoolstartError` if another Python was measured, or if
        they cannot be written.
        """
        if not self._conditions.exists():
            return
        with files.reading(self._conditions, "start the run again"):
            written = {"environment": environment, **json.loads(self._conditions.read_text())}
        self._conditions.unlink()
        reported = str(written.get("facts", {}).get("python", python))
        if pythons.minor(reported) != python:
            raise PoolstartError(
                f"Python {pythons.full(reported)} was measured, and its results would be filed under"
                f" {python}",
                f"remove {venvs.DIRECTORY}, so that its environments are created again",
            )
        directory = results / machine.name(machine.named(sys.argv))
        earlier = conditions.load(directory).get((written["release"], environment), {})
        # Lifecycles and hazards are measured by separate processes; neither may remove what the other wrote.
        kept = earlier.keys() & {"verdicts_on_record"} if "facts" in written else earlier.keys()
        conditions.save(directory, {**{name: earlier[name] for name in kept}, **written})

    def store_failure(self, results: Path, environment: str, release: str) -> None:
        """Store beside the results that the benchmark of a release failed, with the last reason.

        What is stored of an earlier run stays. Raises `PoolstartError` if it cannot be written.
        """
        directory = results / machine.name(machine.named(sys.argv))
        earlier = conditions.load(directory).get((release, environment), {})
        failed = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "reason": self._last_failure}
        row = {**earlier, "release": release, "environment": environment, "failed": failed}
        conditions.save(directory, row)

    def watch(
        self, process: "subprocess.Popen[bytes]", timeout: float | None, purpose: str
    ) -> tuple[str, bool]:
        """Wait until a benchmark process ends, and end its whole process group.

        It is ended after `timeout` seconds in which it reported no step. Returns its output, and whether it
        ended by itself. The time counts for `purpose` in the report.
        """
        began = time.monotonic()
        self._supervision.register(process)
        chunks: list[bytes] = []
        reader = threading.Thread(target=drain, args=(process.stdout, chunks), daemon=True)
        reader.start()
        try:
            ended = wait(process, timeout, Heartbeat(self._progress))
        finally:
            self._supervision.stop(process)
            self._spent[purpose] = self._spent.get(purpose, 0) + time.monotonic() - began
        # A process that has left the group may keep the pipe open.
        reader.join(DRAIN_DEADLINE)
        return b"".join(chunks).decode("utf-8", "replace"), ended

    def report(self, messages: Sequence[str]) -> None:
        """Print the messages of a process that succeeded: remarks, and failures of single figures."""
        for message in messages:
            (self.warn if message.startswith(REMARKS) else self.fail)(message)

    def warn(self, remark: str) -> None:
        """Print a remark of a benchmark, the first time it occurs."""
        if remark not in self._warnings:
            self._warnings.add(remark)
            log.warning(remark)

    def fail(self, reason: str) -> None:
        """Print why a benchmark failed, the first time it occurs, and again at the end of the run."""
        self._last_failure = reason
        if reason not in self._failures:
            self._failures[reason] = None
            log.error(reason)

    def leave_out(self, release: str, reason: str) -> None:
        """Note that a release cannot be measured, for the end of the run."""
        self._left_out[release] = reason

    def _running_server(self) -> Server:
        if self._server and self._server.kind == "embedded" and not listens(self._server):
            log.warning("the embedded PostgreSQL died; starting another one")
            self._server = None
        if self._server is None:
            self._server = locate.running() or embedded.start(self._supervision)
        return self._server

    def _report(self) -> None:
        log.flush()
        if self._spent:
            print(f"poolstart: {time_report(time.monotonic() - self._began, self._spent)}")
        for reason in self._failures:
            print(f"poolstart: failed: {reason}")
        for reason in dict.fromkeys(self._left_out.values()):
            releases = sorted(
                (name for name in self._left_out if self._left_out[name] == reason), key=Version
            )
            print(f"poolstart: left out: SQLAlchemy {', '.join(releases)}: {reason}")


def wait(process: "subprocess.Popen[bytes]", timeout: float | None, steps: Heartbeat) -> bool:
    """Whether a process ends by itself; false as soon as it reports no step for `timeout` seconds."""
    while True:
        try:
            process.wait(timeout)
            return True
        except subprocess.TimeoutExpired:
            if not steps.new():
                return False


def drain(pipe: IO[bytes], chunks: list[bytes]) -> None:
    """Read a pipe to its end into `chunks`, and close it."""
    with pipe:
        chunks.extend(iter(lambda: os.read(pipe.fileno(), 65536), b""))


@cache
def current() -> AsvRun:
    """The run of this process, which the first call creates."""
    return AsvRun()


def listens(server: Server) -> bool:
    """Whether the server's address accepts connections."""
    url = urlsplit(server.url)
    try:
        with socket.create_connection((url.hostname, url.port), timeout=CONNECT_TIMEOUT):
            return True
    except OSError:
        return False


def time_report(seconds: float, spent: Mapping[str, float]) -> str:
    """A line on the time of a run in seconds; `spent` is a part of it by purpose."""

    def share(part: float) -> str:
        return f"{part:.0f} s ({100 * part / seconds:.0f} %)"

    parts = [f"{share(part)} {purpose}" for purpose, part in spent.items()]
    parts.append(f"{share(seconds - sum(spent.values()))} asv and the rest")
    return f"{seconds:.0f} s: {', '.join(parts)}"

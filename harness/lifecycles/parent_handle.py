"""The supervisor: boots parent programs, orders workers, watches the server, applies the guards."""

import json
import os
import re
import select
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2

from harness import strategies
from harness.lifecycles.cell import Cell, NotApplicable, Rejected
from harness.lifecycles.checks import Evidence, findings
from harness.lifecycles.profile import Profile, no_room
from harness.lifecycles.samples import Lifecycle
from harness.postgres.server import Server
from harness.processes.supervision import Supervision
from harness.system import processors
from harness.system.environment import environment

BOOT_DEADLINE_S = 120.0
"""Seconds a parent program has to be ready."""

SETTLE_DEADLINE = 5.0
"""Seconds a worker's backend has to go after the worker went."""

ERROR_LINE = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit)\b")
"""The line of a traceback that says what went wrong."""

HELPERS = ("multiprocessing.forkserver", "multiprocessing.resource_tracker")
"""What multiprocessing itself keeps running beside a parent."""


def require(cell: Cell, server: Server, profile: Profile, release: str) -> None:
    """Raise `NotApplicable` where the cell cannot be measured with a SQLAlchemy release."""
    strategy = strategies.get(cell.strategy)
    reason = strategy.not_applicable(release)
    if reason:
        raise NotApplicable(reason)
    if strategy.shares_connection and server.transport == "tls":
        raise NotApplicable(f"{strategy.id} cannot work over TLS: two processes cannot share one TLS session")
    if not Path("/proc/self/smaps_rollup").exists():
        raise NotApplicable("memory is read from /proc/PID/smaps_rollup, which this system does not have")
    if reason := no_room(cell.size(profile)):
        raise NotApplicable(reason)


class ParentHandle:
    """One parent program under supervision; a context manager that boots and ends it."""

    def __init__(
        self,
        cell: Cell,
        server: Server,
        profile: Profile,
        supervision: Supervision,
        *,
        python: str | Path = sys.executable,
    ) -> None:
        self.cell = cell
        self.strategy = strategies.get(cell.strategy)
        self._server = server
        self._profile = profile
        self._supervision = supervision
        self._python = python
        self._mark = uuid.uuid4().hex
        self._name = f"poolstart-{self._mark[:12]}"
        self.facts: dict[str, Any] = {}
        """What the parent said of itself: versions, C extensions, resident size of the DataFrame."""

    def __enter__(self) -> "ParentHandle":
        self.boot()
        try:
            self.ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def boot(self) -> None:
        """Start the program; several may boot side by side."""
        self._directory = self._supervision.directory()
        self._stderr = self._directory / "stderr"
        self._monitor = self._server.connect()
        with self._stderr.open("wb") as stderr:
            self._process = self._supervision.start(
                [self._python, "-m", "harness.lifecycles.inside.program"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                # multiprocessing keeps forkserver's socket there, and a killed parent does not remove it.
                env={**environment(*strategies.places(self.cell.strategy)), "TMPDIR": str(self._directory)},
                cwd="/",
                bufsize=0,
            )
        self._death = os.pidfd_open(self._process.pid)
        order = {
            "strategy": self.cell.strategy,
            "url": self._server.sqlalchemy_url(self._name),
            "dataframe_mib": self.cell.size(self._profile),
            "mark": self._mark,
            "deadline": self._profile.deadline,
            "cpu": processors.MEASURED,
        }
        self._send(json.dumps(order))

    def ready(self) -> None:
        """Wait until the program holds its engine and its DataFrame."""
        self.facts = self._answer(BOOT_DEADLINE_S)

    def close(self) -> None:
        """End the program with all that it started."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        os.close(self._death)
        self._supervision.stop(self._process)
        self._supervision.remove(self._directory)
        self._monitor.close()

    def lifecycles(self, count: int) -> Iterator[Lifecycle]:
        """Start `count` workers one after another, and yield every lifecycle that counts.

        The last one ends with a full garbage collection.
        """
        for number in range(count):
            yield self._lifecycle(first=number == 0, collect=number == count - 1)

    def _lifecycle(self, *, first: bool, collect: bool) -> Lifecycle:
        # The backend of a connection that NullPool has just closed may still be leaving.
        baseline = self._settled(1 if self.strategy.pooled else 0)
        token = uuid.uuid4().hex
        deadline = self._profile.deadline
        self._send(json.dumps({"token": token, "collect": collect}))
        seen = self._answer(3 * deadline + SETTLE_DEADLINE)
        if seen["outcome"] == "hung":
            raise Rejected(f"{self.cell}: the worker hung: no answer in {deadline:g} s, so it was killed")
        if seen["outcome"] == "failed":
            raise Rejected(f"{self.cell}: the worker failed: {self._last_error()}")
        evidence = Evidence(
            strategy=self.strategy,
            mark=self._mark,
            dataframe_mib=self.cell.size(self._profile),
            parent=self.facts,
            report=seen,
            sessions_before=baseline,
            sessions_after=self._settled(len(baseline)),
            left_over=tuple(left_over(self._process.pid)),
        )
        wrong = findings(evidence)
        if wrong:
            raise Rejected(f"{self.cell}: the measurement does not count: {'; '.join(wrong)}")
        return Lifecycle.from_report(seen, first=first)

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise Rejected(f"{self.cell}: the parent failed: {self._last_error()}") from None

    def _answer(self, deadline: float) -> dict[str, Any]:
        """The next report."""
        process, until = self._process, time.monotonic() + deadline
        assert process.stdout is not None
        answer = b""
        while not answer.endswith(b"\n"):
            remaining = until - time.monotonic()
            # A hanging worker holds a copy of the pipe, so a dead parent need not mean its end.
            output = process.stdout.fileno()
            ready = select.select([output, self._death], [], [], max(0, remaining))[0]
            if not ready:
                raise Rejected(f"{self.cell}: the parent hung: no answer in {deadline:g} s, so it was killed")
            piece = os.read(output, 65536) if output in ready else b""
            if not piece:
                raise Rejected(f"{self.cell}: the parent failed: {self._last_error()}")
            answer += piece
        report: dict[str, Any] = json.loads(answer)
        return report

    def _last_error(self) -> str:
        """What the processes said last on standard error, without the traceback around it."""
        lines = self._stderr.read_text(errors="replace").splitlines()
        told = [line for line in lines if ERROR_LINE.match(line)]
        return (told or lines or ["it said nothing"])[-1]

    def _sessions(self) -> frozenset[int]:
        """Backend pids of the parent and its workers."""
        try:
            with self._monitor.cursor() as cursor:
                cursor.execute("select pid from pg_stat_activity where application_name = %s", [self._name])
                return frozenset(pid for (pid,) in cursor.fetchall())
        except psycopg2.Error as error:
            reason = str(error).strip().splitlines()[0]
            raise Rejected(f"{self.cell}: the server went away during the measurement: {reason}") from None

    def _settled(self, expected: int) -> frozenset[int]:
        """The sessions once they number as many as expected, or when the deadline has passed.

        A backend takes a moment to notice that its client has gone.
        """
        until = time.monotonic() + SETTLE_DEADLINE
        while True:
            found = self._sessions()
            if len(found) == expected or time.monotonic() > until:
                return found
            time.sleep(0.005)


def left_over(leader: int) -> Iterator[str]:
    """Processes of the session that `leader` leads, except itself and multiprocessing's helpers."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == leader:
            continue
        try:
            if os.getsid(int(entry.name)) != leader:
                continue
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, ProcessLookupError):
            continue
        if not any(helper in command for helper in HELPERS):
            yield f"{entry.name} ({'zombie' if state == 'Z' else command or 'gone'})"

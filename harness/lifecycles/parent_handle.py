"""The supervisor: boots parent programs, orders workers, watches the server, applies the guards."""

import json
import os
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
from harness.lifecycles.cell import Cell
from harness.lifecycles.checks import Evidence, findings
from harness.lifecycles.profile import Profile, no_room
from harness.lifecycles.samples import Lifecycle
from harness.postgres.server import Server
from harness.processes import proc
from harness.processes.child import Child
from harness.processes.errors import ChecksFailed, NotApplicable, ProcessFailed, ProcessHung, ServerLost
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.system import processors

BOOT_DEADLINE_S = 120.0
"""Seconds a parent program has to be ready."""

SETTLE_DEADLINE = 5.0
"""Seconds a worker's backend has to go after the worker went."""

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
        self._monitor = self._server.connect()
        self._child = Child(
            self._supervision,
            [self._python, "-m", "harness.lifecycles.inside.program"],
            importable=strategies.places(self.cell.strategy),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._process = self._child.process
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
        os.close(self._death)
        self._child.close()
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
            raise ProcessHung(f"{self.cell}: the worker hung: no answer in {deadline:g} s, so it was killed")
        if seen["outcome"] == "failed":
            raise ProcessFailed(f"{self.cell}: the worker failed: {self._child.last_error()}")
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
            raise ChecksFailed(f"{self.cell}: the measurement does not count: {'; '.join(wrong)}")
        return Lifecycle.from_report(seen, first=first)

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise ProcessFailed(f"{self.cell}: the parent failed: {self._child.last_error()}") from None

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
                raise ProcessHung(
                    f"{self.cell}: the parent hung: no answer in {deadline:g} s, so it was killed"
                )
            piece = os.read(output, 65536) if output in ready else b""
            if not piece:
                raise ProcessFailed(f"{self.cell}: the parent failed: {self._child.last_error()}")
            answer += piece
        report: dict[str, Any] = json.loads(answer)
        return report

    def _sessions(self) -> frozenset[int]:
        """Backend pids of the parent and its workers."""
        try:
            with self._monitor.cursor() as cursor:
                cursor.execute("select pid from pg_stat_activity where application_name = %s", [self._name])
                return frozenset(pid for (pid,) in cursor.fetchall())
        except psycopg2.Error as error:
            reason = str(error).strip().splitlines()[0]
            raise ServerLost(f"{self.cell}: the server went away during the measurement: {reason}") from None

    def _settled(self, expected: int) -> frozenset[int]:
        """The sessions once they number as many as expected, or when the deadline has passed.

        A backend takes a moment to notice that its client has gone.
        """
        return wait_until(
            self._sessions, SETTLE_DEADLINE, accept=lambda found: len(found) == expected, poll=0.005
        )


def left_over(leader: int) -> Iterator[str]:
    """Processes of the session that `leader` leads, except itself and multiprocessing's helpers."""
    for process in proc.session_processes(leader):
        command = proc.command_line(process.pid)
        if process.pid != leader and not any(helper in command for helper in HELPERS):
            yield f"{process.pid} ({command or 'gone' if process.running else 'zombie'})"

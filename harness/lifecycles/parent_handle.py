"""The handle of a parent program: starts it, has it start workers, and checks every lifecycle."""

import json
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg2

from harness import drivers, strategies
from harness.lifecycles.cell import Cell
from harness.lifecycles.checks import Evidence, driver_to_preload, findings
from harness.lifecycles.messages import LifecycleReport, ParentOrder, ParentReport, WorkerOrder
from harness.lifecycles.profile import Profile, no_room
from harness.lifecycles.samples import Lifecycle
from harness.postgres import refusal, url
from harness.postgres.server import Server
from harness.processes import proc
from harness.processes.dialogue import Dialogue
from harness.processes.errors import ChecksFailed, NotApplicable, ProcessFailed, ProcessHung, ServerLost
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.system import processors

BOOT_DEADLINE_S = 120.0
"""Seconds until a parent program must be ready."""

SETTLE_DEADLINE_S = 5.0
"""Seconds for the server to end the session of a worker that has exited."""

HELPERS = ("multiprocessing.forkserver", "multiprocessing.resource_tracker")
"""Processes that multiprocessing keeps running for a parent."""


def require(cell: Cell, server: Server, profile: Profile, release: str) -> None:
    """Raises `NotApplicable` with the reason if the cell cannot be measured with this SQLAlchemy release."""
    driver = drivers.get(profile.driver)
    strategy = strategies.get(cell.strategy).with_driver(driver)
    if reason := strategy.not_applicable(release) or driver.not_applicable(release):
        raise NotApplicable(reason)
    if strategy.shares_connection and server.transport == "tls":
        raise NotApplicable(f"{strategy.id} cannot work over TLS: two processes cannot share one TLS session")
    if not Path("/proc/self/smaps_rollup").exists():
        raise NotApplicable("memory is read from /proc/PID/smaps_rollup, which does not exist on this system")
    if reason := no_room(cell.size(profile)):
        raise NotApplicable(reason)


class ParentHandle:
    """One parent program; a context manager that boots and ends it.

    Its methods raise subclasses of `Rejected` if parent or worker fail or hang, or if the server is lost.
    """

    def __init__(
        self,
        cell: Cell,
        server: Server,
        profile: Profile,
        supervision: Supervision,
        *,
        python: str | Path = sys.executable,
        of_pair: bool = False,
    ) -> None:
        self.cell = cell
        self.strategy = strategies.get(cell.strategy).with_driver(drivers.get(profile.driver))
        self._server = server
        self._profile = profile
        self._supervision = supervision
        self._python = python
        self._of_pair = of_pair
        self._mark = uuid.uuid4().hex
        self._name = f"poolstart-{self._mark[:12]}"
        self.facts: ParentReport
        """The parent's first report: versions, C extensions, resident size of the DataFrame in bytes."""

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
        """Start the program, without waiting for it: several may boot in parallel."""
        # A pooler in session mode would keep a session for it, and it would see the sessions of others.
        self._monitor = None if self._server.pooler else self._server.connect()
        self._program = Dialogue(
            self._supervision,
            [self._python, "-m", "harness.lifecycles.inside.program", *["scattered"] * self._of_pair],
            f"{self.cell}: the parent",
            error=self._failed,
            importable=strategies.places(self.cell.strategy),
        )
        order: ParentOrder = {
            "strategy": self.cell.strategy,
            "driver": self.strategy.driver.name,
            "url": self._server.sqlalchemy_url(self._name, self.strategy.driver),
            "dataframe_mib": self.cell.size(self._profile),
            "mark": self._mark,
            "deadline": self._profile.deadline,
            "cpu": processors.MEASURED,
            "of_pair": self._of_pair,
        }
        self._program.say(json.dumps(order))

    def ready(self) -> None:
        """Wait until the program holds its engine and its DataFrame."""
        self.facts = self._program.answer(BOOT_DEADLINE_S)

    def close(self) -> None:
        """End the program with all processes that it started."""
        self._program.close()
        if self._monitor:
            self._monitor.close()

    def lifecycles(self, count: int) -> Iterator[Lifecycle]:
        """Start `count` workers one after another, and yield the lifecycle of each.

        The last one ends with a full garbage collection. Raises `ChecksFailed` for a lifecycle that does not
        count.
        """
        for number in range(count):
            yield self._lifecycle(first=number == 0, collect=number == count - 1)

    def _lifecycle(self, *, first: bool, collect: bool) -> Lifecycle:
        # The session of a connection that NullPool has just closed may take a moment to end.
        baseline = self._settled(1 if self.strategy.pooled else 0)
        token = uuid.uuid4().hex
        deadline = self._profile.deadline
        request: WorkerOrder = {"token": token, "collect": collect}
        report: LifecycleReport = self._program.ask(request, 3 * deadline + SETTLE_DEADLINE_S)
        if report["outcome"] == "hung":
            raise ProcessHung(f"{self.cell}: the worker hung: no answer in {deadline:g} s, so it was killed")
        if report["outcome"] == "failed":
            raise self._failed(f"{self.cell}: the worker", self._program.child.last_error())
        evidence = Evidence(
            strategy=self.strategy,
            mark=self._mark,
            dataframe_mib=self.cell.size(self._profile),
            parent=self.facts,
            report=report,
            sessions_before=baseline,
            sessions_after=self._settled(len(baseline)),
            left_over=tuple(left_over(self._program.child.process.pid)),
            pooler=bool(self._server.pooler),
        )
        if wrong := findings(evidence):
            raise ChecksFailed(f"{self.cell}: the measurement does not count: {'; '.join(wrong)}")
        return Lifecycle.from_report(
            report,
            first=first,
            driver_to_preload=driver_to_preload(self.strategy, report["worker"]),
        )

    def _failed(self, what: str, reason: str) -> ProcessFailed:
        """The error for a program that failed, without what its message may quote of the URL."""
        shown = url.hide(reason, self._server.url)
        return ProcessFailed(f"{what} failed: {shown}", refusal.remedy_in(reason))

    def _sessions(self) -> frozenset[int]:
        """Backend pids of the parent and its workers."""
        assert self._monitor
        try:
            with self._monitor.cursor() as cursor:
                cursor.execute("select pid from pg_stat_activity where application_name = %s", [self._name])
                return frozenset(pid for (pid,) in cursor.fetchall())
        except psycopg2.Error as error:
            raise ServerLost(f"{self.cell}: {refusal.broken_off(error, self._server.url)}") from None

    def _settled(self, expected: int) -> frozenset[int]:
        """The sessions as soon as there are as many as expected, or after the deadline.

        A backend takes a moment to notice that its client has exited. Through a pooler there are none.
        """
        if not self._monitor:
            return frozenset()
        return wait_until(
            self._sessions, SETTLE_DEADLINE_S, accept=lambda found: len(found) == expected, poll=0.005
        )


def left_over(leader: int) -> Iterator[str]:
    """Processes in the session of `leader`, without itself and multiprocessing's helpers: pid and command."""
    for process in proc.session_processes(leader):
        command = proc.command_line(process.pid)
        if process.pid != leader and not any(helper in command for helper in HELPERS):
            yield f"{process.pid} ({command or 'gone' if process.running else 'zombie'})"

"""The parent process of a trial: its engine, its workers, its view of the server, and the story.

Everything here waits for events (a message, a row in the server's views, the end of a process), never for
time to pass. Only a worker that waits for ever causes no event; `handle` distinguishes it from a slow
one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import strategies
from harness.hazards.inside import worker
from harness.hazards.inside.handle import SILENCE, Hung, WorkerHandle
from harness.hazards.inside.story import HazardReading, StoryEvent
from harness.processes.wait import wait_until

if TYPE_CHECKING:
    import psycopg2
    from sqlalchemy.engine import Engine

    from harness.postgres.server import Server

SILENCE_PER_CONNECT = 30
"""A worker's silence is at least this multiple of the parent's first connect: slow machines get longer."""

SERVER_DEADLINE = 10.0
"""Seconds for the server to reach the state that a trial waits for."""


class ServerSession:
    """A connection of the parent, as the driver and the server know it."""

    def __init__(self, raw: Any, backend: int) -> None:
        self.raw = raw
        self.backend = backend

    @property
    def closed(self) -> bool:
        """Whether the parent's own pool has closed it, so that nothing is shared."""
        return bool(self.raw.closed)

    def error(self) -> str:
        """The error of a query over it; empty if it answers as before, or the parent has closed it.

        The query follows whatever a worker may have sent over the same socket.
        """
        import psycopg2

        if self.closed:
            return ""
        try:
            with self.raw.cursor() as cursor:
                cursor.execute("select pg_backend_pid()")
                (backend,) = cursor.fetchone()
            self.raw.rollback()
        except psycopg2.Error as error:
            return worker.plain(error)
        return "" if backend == self.backend else f"backend {backend} answered for {self.backend}"


class Parent:
    """The tools of a reproduction, which runs in a process of its own."""

    def __init__(self, strategy: str, server: Server, scratch: Path) -> None:
        self.strategy = strategies.get(strategy)
        self.strategy.set_up()
        self.server = server
        self.scratch = scratch
        self.story: list[StoryEvent] = []
        self.readings: dict[str, HazardReading] = {}
        self.name = strategy
        self.workers: list[WorkerHandle] = []
        self.silence = SILENCE
        """Seconds without an answer and without running after which a worker counts as hung."""
        self.url = server.sqlalchemy_url(f"poolstart-{os.getpid()}")

    @cached_property
    def monitor(self) -> psycopg2.extensions.connection:
        """A connection outside every pool, made when it is first used."""
        return self.server.connect(f"poolstart-monitor-{os.getpid()}")

    def tell(self, who: str, what: str) -> None:
        """Add an event to the story: `who` is `parent`, `worker`, `server` or `user`."""
        self.story.append(StoryEvent(who, " ".join(what.split())))

    def measure(self, figure: str, value: float, trials: int | None = None) -> None:
        """Report the value of a figure, in its unit; `trials` if it is a fraction of so many."""
        self.readings[figure] = HazardReading(value, trials)

    def engine(self, queue: dict[str, Any] | None = None, **options: Any) -> Engine:
        """The parent's engine as the strategy makes it, with further options of `create_engine`.

        `queue` holds options of QueuePool, which a strategy with NullPool does not get.
        """
        added = {**options, **(queue or {} if self.strategy.pooled else {})}
        return self.strategy.create_parent_engine(self.url, **added)

    def warm(self, engine: Engine) -> ServerSession:
        """Use the engine once, so that one connection is checked in, if the pool keeps it."""
        begin = time.monotonic()
        with engine.connect() as connection:
            session = session_of(connection)
        self.silence = max(SILENCE, SILENCE_PER_CONNECT * (time.monotonic() - begin))
        return session

    def start(
        self,
        task: Callable[..., Any],
        *args: Any,
        engine: Engine | None = None,
        during: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> WorkerHandle:
        """Start a worker as the strategy does; it begins its task at once.

        `task` is a module-level function of a hazard. `during` makes a context that is open while the worker
        starts: it is entered after the strategy has treated the parent's engine.
        """
        prepared = self.strategy.prepare(
            worker.main, engine, self.url, task, self.strategy.hands_engine, self.scratch, *args
        )
        prepared.treat()
        with during():
            prepared.process.start()
        prepared.theirs.close()
        started = WorkerHandle(prepared.process, prepared.ours, self.scratch, self.silence)
        self.workers.append(started)
        return started

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a state of the server. Raises `RuntimeError` after `SERVER_DEADLINE` seconds."""
        if not wait_until(condition, SERVER_DEADLINE, poll=0.005):
            raise RuntimeError(f"the server did not show {what} within {SERVER_DEADLINE:g} s")

    def ask(self, query: str, *parameters: Any) -> Any:
        """The first value of a query over the monitor's connection; None without a row."""
        with self.monitor.cursor() as cursor:
            cursor.execute(query, parameters)
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def backend_alive(self, backend: int) -> bool:
        """Whether the server still has a session with this backend pid."""
        return bool(self.ask("select count(*) from pg_stat_activity where pid = %s", backend))

    def close(self) -> None:
        """Kill all workers, and close the monitor's connection."""
        for started in self.workers:
            started.kill()
        if "monitor" in self.__dict__:
            self.monitor.close()


def session_of(connection: Any) -> ServerSession:
    """The session behind a SQLAlchemy connection."""
    backend = connection.exec_driver_sql("select pg_backend_pid()").scalar()
    # The name of the pool's attribute has changed between releases; that of a cursor has not.
    return ServerSession(connection.connection.cursor().connection, backend)


def hangs(worker: WorkerHandle) -> bool:
    """Whether a worker hangs instead of answering."""
    try:
        worker.answer()
    except Hung:
        return True
    return False


@contextmanager
def busy(threads: int, use: Callable[[], object]) -> Iterator[None]:
    """During the context, this many threads call `use` again and again."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            use()

    started = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for thread in started:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in started:
            thread.join()


@contextmanager
def held_by_another_thread(lock: AbstractContextManager[Any]) -> Iterator[None]:
    """During the context, another thread holds `lock`."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            release.wait()

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    held.wait()
    try:
        yield
    finally:
        release.set()
        thread.join()

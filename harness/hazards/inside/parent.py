"""The parent process of a trial: its engine, its workers, its view of the server, and the story.

Everything here waits for events (a message, a row in the server's views, the end of a process), never for
time to pass. Only a worker that waits for ever causes no event; `handle` distinguishes it from a slow
one.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import drivers, strategies
from harness.drivers import Driver
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

PARENT_SILENCE = 5.0
"""Seconds after which a query of the parent, which takes milliseconds, counts as hung."""

NO_ANSWER = "The parent's query never returns."

SERVER_DEADLINE = 10.0
"""Seconds for the server to reach the state that a trial waits for."""


class ServerSession:
    """A connection of the parent, as pool, driver and server know it."""

    def __init__(self, driver: Driver, pooled: Any, backend: int, run: Callable[..., Any]) -> None:
        """`pooled` is the pool's proxy of the connection; `run` calls a function as the driver needs it."""
        self._driver = driver
        self._record = pooled._connection_record
        self.raw = dbapi_connection(self._record)
        self.backend = backend
        self._run = run

    @property
    def closed(self) -> bool:
        """Whether the parent's own pool has closed it, so that nothing is shared."""
        return dbapi_connection(self._record) is not self.raw

    def error(self) -> str:
        """The error of a query over it; empty if it answers as before, or the parent has closed it.

        The query follows whatever a worker may have sent over the same socket.
        """
        if self.closed:
            return ""
        try:
            backend = attempt(lambda: self._run(self._query))
        except Hung as hung:
            return str(hung)
        except Exception as error:
            return worker.plain(error)
        return "" if backend == self.backend else f"backend {backend} answered for {self.backend}"

    def _query(self) -> int:
        cursor = self.raw.cursor()
        cursor.execute("select pg_backend_pid()")
        (backend,) = cursor.fetchone()
        cursor.close()
        self.raw.rollback()
        return int(backend)

    @property
    def descriptor(self) -> int:
        """The number of its socket's descriptor."""
        return self._driver.descriptor(getattr(self.raw, "driver_connection", self.raw))

    def close(self) -> None:
        """Close it, in whatever state it is."""
        with contextlib.suppress(Exception):
            self._run(self.raw.close)


def dbapi_connection(record: Any) -> Any:
    """The connection of a record of the pool, whose attribute was called `connection` until 1.4.24."""
    return record.dbapi_connection if hasattr(record, "dbapi_connection") else record.connection


def call(function: Callable[[], Any]) -> Any:
    """What the function returns."""
    return function()


def attempt(action: Callable[[], Any]) -> Any:
    """What something that the parent does returns. Raises `Hung` if it never does, and what it raises."""
    results: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()

    def act() -> None:
        try:
            results.put((action(), None))
        except Exception as error:
            results.put((None, error))

    threading.Thread(target=act, daemon=True).start()
    try:
        result, error = results.get(timeout=PARENT_SILENCE)
    except queue.Empty:
        raise Hung(NO_ANSWER) from None
    if error:
        raise error
    return result


def failure(action: Callable[[], Any]) -> str:
    """The error of something that the parent does; empty if it succeeds."""
    try:
        attempt(action)
    except Hung as hung:
        return str(hung)
    except Exception as error:
        return worker.plain(error)
    return ""


class Parent:
    """The tools of a reproduction, which runs in a process of its own."""

    def __init__(
        self, strategy: str, server: Server, scratch: Path, driver: Driver = drivers.MEASURED
    ) -> None:
        self.driver = driver
        self.strategy = strategies.get(strategy).with_driver(driver, working=False)
        self.strategy.set_up()
        self.server = server
        self.scratch = scratch
        self.story: list[StoryEvent] = []
        self.readings: dict[str, HazardReading] = {}
        self.name = strategy
        self.workers: list[WorkerHandle] = []
        self.silence = SILENCE
        """Seconds without an answer and without running after which a worker counts as hung."""
        self.url = server.sqlalchemy_url(f"poolstart-{os.getpid()}", driver)

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

        `queue` holds options of QueuePool, which a strategy with NullPool does not get. An AsyncEngine can be
        used as a synchronous one (`harness.hazards.inside.blocking`).
        """
        added = {**options, **(queue or {} if self.strategy.pooled else {})}
        made: Any = self.strategy.create_parent_engine(self.url, **added)
        if not self.driver.asynchronous:
            return made  # type: ignore[no-any-return]
        from harness.hazards.inside.blocking import Blocking, EventLoop

        # A loop of its own: one in which a query never returns cannot be used again.
        return Blocking(made.sync_engine, EventLoop(), made)  # type: ignore[return-value]

    def warm(self, engine: Engine) -> ServerSession:
        """Use the engine once, so that one connection is checked in, if the pool keeps it."""
        begin = time.monotonic()
        with engine.connect() as connection:
            session = self.session(connection)
        self.silence = max(SILENCE, SILENCE_PER_CONNECT * (time.monotonic() - begin))
        return session

    def session(self, connection: Any) -> ServerSession:
        """The session behind a SQLAlchemy connection."""
        backend = connection.exec_driver_sql("select pg_backend_pid()").scalar()
        return ServerSession(self.driver, connection.connection, backend, getattr(connection, "run", call))

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
            worker.main,
            getattr(engine, "asynchronous", engine),
            self.url,
            task,
            self.strategy.hands_engine,
            self.driver.asynchronous,
            self.scratch,
            *args,
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

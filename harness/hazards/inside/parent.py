"""The parent process of a trial: its engine, its workers, its view of the server, and the story.

Everything here waits for events (a message, a row in the server's views, the end of a process), never for
time to pass. Only a worker that waits for ever causes no event: `WorkerHandle.answer` says how it is
distinguished from a slow one.
"""

from __future__ import annotations

import contextlib
import multiprocessing.connection
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import strategies
from harness.hazards.inside import worker
from harness.hazards.inside.story import HazardReading, StoryEvent
from harness.processes.activity import IdleTimer

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from harness.postgres.server import Server

START_DEADLINE = 30.0
"""Seconds for a worker to start or to end: an interpreter may have to boot."""

ANSWER_DEADLINE = 20.0
"""Seconds for a worker's answer, however busy it is: two processes that garble one connection may keep each
other busy for ever."""

SILENCE = 1.0
"""Seconds without an answer and without running after which a worker counts as hung."""

SILENCE_PER_HEALTHY = 30
"""The same as a multiple of the time of this parent's first connection: slow machines get longer."""

SILENCE_BEFORE_READY = 3
"""Factor by which a worker that has not reached its first line yet gets longer."""

INNERMOST = re.compile(r'^  File "(?P<path>[^"]+)", (?P<place>line .+)\n', re.MULTILINE)
"""The innermost frame of a stack as faulthandler writes it."""

OUTERMOST = (" in <module>\n", " in _run_module_as_main\n", " in _bootstrap\n")
"""Ends of the outermost frame's line, for a script, a program run by `python -m` and a thread."""

SERVER_DEADLINE = 10.0
"""Seconds for the server to reach the state that a trial waits for."""


class Hung(Exception):
    """The worker waits for something that will never happen; the text says where in its code."""

    def __init__(self, whereabouts: str, stack: str = "") -> None:
        super().__init__(whereabouts)
        self._stack = stack

    def inside(self, file: str) -> bool:
        """Whether the waiting stack has a function of a file whose path ends with `file`."""
        return f'{file}"' in self._stack


class Failed(Exception):
    """The worker raised an exception; the text is its message."""


class Ended(Exception):
    """The worker ended without an answer; the text is its exit status."""


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


class WorkerHandle:
    """The parent's view of one worker."""

    def __init__(
        self,
        process: Any,
        pipe: multiprocessing.connection.Connection[Any, Any],
        scratch: Path,
        silence: float,
    ) -> None:
        self.process = process
        self._pipe = pipe
        self._scratch = scratch
        self._silence = silence
        self._ready = False
        self._idle = IdleTimer()
        self._asked_at = time.monotonic()

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def settled(self) -> bool:
        """Whether an answer is there or will never come. Raises `Failed` or `Ended` if it did not start."""
        now = time.monotonic()
        if self._pipe.poll():
            if self._ready:
                return True
            self._receive("ready")
            self._ready, self._asked_at = True, now
        silence = self._silence * (1 if self._ready else SILENCE_BEFORE_READY)
        deadline = self._asked_at + (ANSWER_DEADLINE if self._ready else START_DEADLINE)
        return self._idle.seconds([self.pid]) > silence or now > deadline

    def answer(self) -> Any:
        """Wait for what the worker's task returns, or reports next.

        Raises `Failed` if the task raised, `Ended` if the worker ended without an answer, and `Hung` if it
        neither answered nor ran for `SILENCE` seconds (see `harness.processes.activity`).
        """
        settle([self])
        if not self._pipe.poll():
            raise self._hung()
        value = self._receive("answer")
        self._idle.restart()
        self._asked_at = time.monotonic()
        return value

    def say(self, word: str = "") -> None:
        """Let the worker continue: its `Worker.wait` returns."""
        self._pipe.send(word)

    def kill(self) -> None:
        """Kill the worker and wait for its end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.process.join()

    def join(self) -> None:
        """Wait until the worker has ended by itself. Raises `Hung` after `START_DEADLINE` seconds."""
        self.process.join(START_DEADLINE)
        if self.process.is_alive():
            raise self._hung()

    def _receive(self, expected: str) -> Any:
        try:
            kind, value = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            raise Ended(f"exit status {self.process.exitcode}") from None
        if kind == "error":
            raise Failed(value)
        if kind != expected:
            raise RuntimeError(f"the worker said {kind!r} where {expected!r} was due")
        return value

    def _hung(self) -> Hung:
        """The error with the worker's innermost function, from the stack it writes on SIGUSR1."""
        if not self._ready:
            return Hung("before its first line")
        file, stack = worker.stack_file(self._scratch, self.pid), ""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
        deadline = time.monotonic() + 2
        # The file is read while it is written: wait for the whole stack.
        while not stack.endswith(OUTERMOST) and time.monotonic() < deadline:
            time.sleep(0.01)
            stack = file.read_text() if file.exists() else ""
        innermost = INNERMOST.search(stack)
        if not innermost:
            return Hung("an unknown place")
        return Hung(f"{Path(innermost['path']).name}, {innermost['place']}", stack)


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
        self.monitor = server.connect(f"poolstart-monitor-{os.getpid()}")

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
        self.silence = max(SILENCE, SILENCE_PER_HEALTHY * (time.monotonic() - begin))
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
        deadline = time.monotonic() + SERVER_DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the server did not show {what} within {SERVER_DEADLINE:g} s")
            time.sleep(0.005)

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
        self.monitor.close()


def settle(workers: Sequence[WorkerHandle]) -> None:
    """Wait until every worker has answered or hangs, for all at once: the time of hangs does not add up."""
    waiting = list(workers)
    while waiting := [worker for worker in waiting if not worker.settled()]:
        time.sleep(0.01)


def session_of(connection: Any) -> ServerSession:
    """The session behind a SQLAlchemy connection."""
    backend = connection.exec_driver_sql("select pg_backend_pid()").scalar()
    # The name of the pool's attribute has changed between releases; that of a cursor has not.
    return ServerSession(connection.connection.cursor().connection, backend)


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

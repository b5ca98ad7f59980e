"""The parent of a reproduction: its engine, its workers, what it sees of the server, and the story.

Everything here waits for events (a message, the server's own view, the end of a process), never for
time to pass. The one thing that has no event is a worker that waits for ever; `WorkerHandle.answer` says how
that is told from a slow one.
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
"""Seconds a worker has to start or to end: an interpreter may have to boot."""

ANSWER_DEADLINE = 20.0
"""Seconds a worker has for one answer, however busy it is: two processes that garble one connection may
keep each other busy for ever."""

SILENCE = 1.0
"""Seconds without an answer, a context switch or a tick of processor time that make a worker hung."""

SILENCE_PER_HEALTHY = 30
"""The same, in multiples of what a first connection took this parent: slow machines get longer."""

SILENCE_BEFORE_READY = 3
"""The same, in multiples of itself, for a worker that has not reached its first line yet."""

INNERMOST = re.compile(r'^  File "(?P<path>[^"]+)", (?P<place>line .+)\n', re.MULTILINE)
"""The first frame of a stack as faulthandler writes it."""

OUTERMOST = (" in <module>\n", " in _run_module_as_main\n", " in _bootstrap\n")
"""How its last line ends: where a script, a program run by `python -m` and a thread begin."""

SERVER_DEADLINE = 10.0
"""Seconds the server has to show what it must show."""


class Hung(Exception):
    """The worker waits for something that will never come; the text says where."""

    def __init__(self, whereabouts: str, stack: str = "") -> None:
        super().__init__(whereabouts)
        self._stack = stack

    def inside(self, file: str) -> bool:
        """Whether a function of a file whose path ends so is on the stack of what waits."""
        return f'{file}"' in self._stack


class Failed(Exception):
    """The worker raised; the text is what its user would read."""


class Ended(Exception):
    """The worker ended without an answer; the text is its exit status."""


class ServerSession:
    """One connection of the parent's, as the driver and the server know it."""

    def __init__(self, raw: Any, backend: int) -> None:
        self.raw = raw
        self.backend = backend

    @property
    def closed(self) -> bool:
        """Whether the parent's own pool has closed it: there is nothing to share and nothing to lose."""
        return bool(self.raw.closed)

    def fate(self) -> str:
        """What has become of it: empty when it answers as before, else the error of its user.

        The question travels over the socket itself, behind whatever a worker may have sent before.
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
        """Whether there is an answer to hear, or there will never be one."""
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
        """What the worker's task returned, or reports next. Raises `Failed`, `Ended` or `Hung`.

        Hung is a worker that neither answers nor runs: for `SILENCE` seconds it had neither a context switch
        nor a tick of processor time. A slow worker on a busy machine has many of the first; one that
        computes on a processor of its own has none, and all of the second.
        """
        settle([self])
        if not self._pipe.poll():
            raise self._hung()
        value = self._receive("answer")
        self._idle.restart()
        self._asked_at = time.monotonic()
        return value

    def say(self, word: str = "") -> None:
        """Let the worker go on: its `Worker.wait` returns."""
        self._pipe.send(word)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.process.join()

    def join(self) -> None:
        """Wait for the worker's orderly end."""
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
        """Where the worker waits: its innermost function, from the stack it writes on SIGUSR1."""
        if not self._ready:
            return Hung("on its way from the start to its first line")
        file, stack = worker.stack_file(self._scratch, self.pid), ""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
        deadline = time.monotonic() + 2
        # The file is read while it is written: only a whole stack counts.
        while not stack.endswith(OUTERMOST) and time.monotonic() < deadline:
            time.sleep(0.01)
            stack = file.read_text() if file.exists() else ""
        innermost = INNERMOST.search(stack)
        if not innermost:
            return Hung("an unknown place")
        return Hung(f"{'/'.join(Path(innermost['path']).parts[-3:])}, {innermost['place']}", stack)


class Parent:
    """What a reproduction works with. One reproduction, one process."""

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
        """Seconds after which who neither answers nor runs is hung; more where a first connection is slow."""
        self.url = server.sqlalchemy_url(f"poolstart-{os.getpid()}")
        self.monitor = server.connect(f"poolstart-monitor-{os.getpid()}")

    def tell(self, who: str, what: str) -> None:
        self.story.append(StoryEvent(who, " ".join(what.split())))

    def measure(self, figure: str, value: float, trials: int | None = None) -> None:
        self.readings[figure] = HazardReading(value, trials)

    def engine(self, queue: dict[str, Any] | None = None, **options: Any) -> Engine:
        """The parent's engine as the strategy makes it, with options of `create_engine` added.

        `queue` are options that only a pool with a queue takes: a NullPool does without them.
        """
        added = {**options, **(queue or {} if self.strategy.pooled else {})}
        return self.strategy.create_parent_engine(self.url, **added)

    def warm(self, engine: Engine) -> ServerSession:
        """Use the engine once, so that one connection is checked in where the pool keeps it."""
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

        `task` is a module-level function of a hazard. What `during` makes spans the very moment of the
        start: it is entered after the strategy has done its part in the parent.
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
        """Wait until the server shows something."""
        deadline = time.monotonic() + SERVER_DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the server did not show {what} within {SERVER_DEADLINE:g} s")
            time.sleep(0.005)

    def ask(self, query: str, *parameters: Any) -> Any:
        """One value from the server over the monitor's connection."""
        with self.monitor.cursor() as cursor:
            cursor.execute(query, parameters)
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def backend_alive(self, backend: int) -> bool:
        return bool(self.ask("select count(*) from pg_stat_activity where pid = %s", backend))

    def close(self) -> None:
        for started in self.workers:
            started.kill()
        self.monitor.close()


def settle(workers: Sequence[WorkerHandle]) -> None:
    """Wait until every worker has answered or is hung: those that hang are waited for together."""
    waiting = list(workers)
    while waiting := [worker for worker in waiting if not worker.settled()]:
        time.sleep(0.01)


def session_of(connection: Any) -> ServerSession:
    """The session behind a SQLAlchemy connection."""
    backend = connection.exec_driver_sql("select pg_backend_pid()").scalar()
    # A cursor knows its connection under one name in every release; the pool's name for it has changed.
    return ServerSession(connection.connection.cursor().connection, backend)


@contextmanager
def busy(threads: int, use: Callable[[], object]) -> Iterator[None]:
    """So many threads of this process do `use` again and again, until the context ends."""
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
    """Another thread of this process is inside `lock` for as long as the context lasts."""
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

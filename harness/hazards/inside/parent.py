"""The parent process of a trial: its engine, its workers, its view of the server, and the story.

Everything here waits for events (a message, a row in the server's views, the end of a process), never for
time to pass. Only a worker that waits forever causes no event; `handle` distinguishes it from a slow one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import drivers, strategies
from harness.drivers import Driver
from harness.hazards.inside import worker
from harness.hazards.inside.handle import SILENCE, WorkerHandle
from harness.hazards.inside.session import ServerSession
from harness.hazards.inside.story import HazardReading, StoryEvent
from harness.processes.wait import wait_until

if TYPE_CHECKING:
    import psycopg2
    from sqlalchemy.engine import Connection as Connection
    from sqlalchemy.engine import Engine as Engine

    from harness.postgres.server import Server
else:
    # Hazards name them in annotations, and import SQLAlchemy only where they use it.
    Connection = Engine = Any

SILENCE_PER_CONNECT = 30
"""A worker's silence is at least this multiple of the parent's first connect: slow machines get longer."""

SERVER_DEADLINE = 10.0
"""Seconds for the server to reach the state that a trial waits for."""


class Parent:
    """The tools of a reproduction, which runs in a process of its own."""

    def __init__(
        self,
        strategy: str,
        server: Server,
        scratch: Path,
        driver: Driver = drivers.MEASURED,
        *,
        keeps_condition: bool = False,
    ) -> None:
        self.driver = driver
        self.strategy = strategies.get(strategy).with_driver(driver, working=False)
        self.strategy.set_up()
        self.server = server
        self.scratch = scratch
        self.keeps_condition = keeps_condition
        """Whether the program keeps the hazard's condition, and so must survive."""
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

        # Each engine has a loop of its own, because a loop in which a query never returns cannot be reused.
        return Blocking(made.sync_engine, EventLoop(), made)  # type: ignore[return-value]

    def warm(self, engine: Engine) -> ServerSession:
        """Use the engine once, so that the pool holds one connection if it keeps any."""
        begin = time.monotonic()
        with engine.connect() as connection:
            session = self.session(connection)
        self.silence = max(SILENCE, SILENCE_PER_CONNECT * (time.monotonic() - begin))
        return session

    def session(self, connection: Any) -> ServerSession:
        """The session behind a SQLAlchemy connection."""
        backend = connection.exec_driver_sql("select pg_backend_pid()").scalar()
        run = getattr(connection, "run", lambda function: function())
        return ServerSession(self.driver, connection.connection, backend, run)

    def start(
        self,
        task: Callable[..., Any],
        *args: Any,
        engine: Engine | None = None,
        during: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> WorkerHandle:
        """Start a worker as the strategy does; it begins its task at once.

        `task` is a module-level function of a hazard. `during` makes a context that is open while the worker
        starts: it is entered after the strategy has treated the parent's engine. A program that keeps the
        hazard's condition does not enter it.
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
        with nullcontext() if self.keeps_condition else during():
            prepared.process.start()
        prepared.theirs.close()
        started = WorkerHandle(prepared.process, prepared.ours, self.scratch, self.silence)
        self.workers.append(started)
        return started

    def run_script(
        self, script: str, *arguments: str, check: bool = True, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in a file of its own, whose first argument is the strategy's start method.

        `variables` are added to its environment. Raises CalledProcessError for another exit status than 0,
        unless `check` is false. The trial's own deadline ends it, with the rest of its process group.
        """
        file = self.scratch / "script.py"
        file.write_text(script)
        return subprocess.run(
            [sys.executable, file, self.strategy.start_method, *arguments],
            capture_output=True,
            text=True,
            check=check,
            env={**os.environ, **(variables or {})},
        )

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

    @contextmanager
    def table(self, columns: str = "") -> Iterator[str]:
        """The name of a table, which is dropped at the end; without `columns` the trial creates it itself."""
        name = f"poolstart_{os.getpid()}"
        if columns:
            self.ask(f"create unlogged table {name} ({columns})")
        try:
            yield name
        finally:
            self.ask(f"drop table if exists {name}")

    def backend_alive(self, backend: int) -> bool:
        """Whether the server still has a session with this backend pid."""
        return bool(self.ask("select count(*) from pg_stat_activity where pid = %s", backend))

    def close(self) -> None:
        """Kill all workers, and close the monitor's connection."""
        for started in self.workers:
            started.kill()
        if "monitor" in self.__dict__:
            self.monitor.close()

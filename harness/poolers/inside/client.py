"""A client: a process with an engine, which does one step after another, as a trial orders.

Clients are forked before there is an engine, with everything imported: as in real programs, their drivers
give the same names to their prepared statements.
"""

import asyncio
import functools
import multiprocessing
import os
import re
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import create_engine, event, pool, text
from sqlalchemy.engine import Connection, Engine

from harness import treatments, treatments_async
from harness.drivers import Driver

DEADLINE = 10.0
"""Seconds for a step, which takes milliseconds."""

HANGS = "no answer"
"""Of a step that was not done in time."""

CONTEXT = multiprocessing.get_context("fork")

Rows = list[list[Any]]


class StepFailed(Exception):
    """A step raised an exception, or was not done in time; the message says which (`shown`, `HANGS`)."""


class Steps:
    """What a client can do with its engine."""

    def __init__(self, driver: Driver, url: str, pool_class: str, arguments: dict[str, Any]) -> None:
        create: Callable[..., Any] = create_engine
        if driver.asynchronous:
            # Without greenlet it cannot be imported.
            from sqlalchemy.ext.asyncio import create_async_engine as create
        if pool_class == "NullPool":
            arguments = {"poolclass": pool.NullPool, **arguments}
        self._asynchronous = driver.asynchronous
        self._engine: Any = create(url, **arguments)
        self._connection: Any = None
        self._runner = asyncio.Runner()
        self._heard: list[Any] = []
        self._worker: Any = None

    @property
    def _synchronous(self) -> Engine:
        """The engine, or the synchronous side of an AsyncEngine, whose calls `_do` makes."""
        engine: Engine = getattr(self._engine, "sync_engine", self._engine)
        return engine

    def _do(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """What a call returns; an AsyncEngine makes it in the same way."""
        if not self._asynchronous:
            return call(*arguments)
        from sqlalchemy.util.concurrency import greenlet_spawn

        return self._runner.run(greenlet_spawn(call, *arguments))

    def execute_at(self, moment: str, statement: str) -> None:
        """Execute a statement for each new connection (`connect`), or in each transaction (`begin`)."""

        def connect(dbapi_connection: Any, _: Any) -> None:
            cursor = dbapi_connection.cursor()
            cursor.execute(statement)
            cursor.close()
            dbapi_connection.commit()

        def begin(connection: Connection) -> None:
            connection.exec_driver_sql(statement)

        event.listen(self._synchronous, moment, connect if moment == "connect" else begin)

    def transaction(self, *statements: str) -> Rows:
        """Execute statements in a transaction; returns rows as `execute` does."""
        self.check_out()
        try:
            rows = self.execute(*statements)
            self.commit()
            return rows
        finally:
            self.check_in()

    def check_out(self) -> None:
        self._connection = self._do(self._synchronous.connect)

    def check_in(self) -> None:
        self._do(self._connection.close)

    def execute(self, *statements: str) -> Rows:
        """Execute statements on the connection that is checked out; returns the rows of the last that has."""
        rows: Rows = []
        for statement in statements:
            result = self._do(self._connection.execute, text(statement))
            if result.returns_rows:
                rows = [list(row) for row in result]
        return rows

    def commit(self) -> None:
        self._do(self._connection.commit)

    def listen(self, channel: str) -> None:
        """Listen on the connection that is checked out, as the driver's documentation says."""
        driver: Any = self._connection.connection.driver_connection
        if self._asynchronous:
            self._runner.run(driver.add_listener(channel, lambda *given: self._heard.append(given)))
        elif hasattr(driver, "add_notify_handler"):
            driver.add_notify_handler(self._heard.append)
            self.execute(f"listen {channel}")
        else:
            self._heard = driver.notifies
            self.execute(f"listen {channel}")
        self.commit()

    def heard(self) -> int:
        """The notifications that have arrived, after another query."""
        self.execute("select 1")
        self.commit()
        return len(self._heard)

    def fork(self, treatment: str) -> int:
        """Fork a worker with the engine, to which it applies a treatment of `harness.treatments`."""
        self._worker, theirs = CONTEXT.Pipe()
        process = CONTEXT.Process(target=serve, args=(theirs, lambda: self._inherited(treatment)))
        process.start()
        theirs.close()
        assert process.pid
        answer(self._worker)
        return process.pid

    def in_worker(self, name: str, *arguments: Any) -> Any:
        """A step of the worker."""
        self._worker.send((name, arguments))
        return answer(self._worker)

    def dispose(self) -> None:
        """Close the connections of the pool."""
        self._do(self._synchronous.dispose)

    def _inherited(self, treatment: str) -> "Steps":
        """In the worker: the same steps, with the treated engine and a loop of its own."""
        # The parent's loop shares its epoll with this one's copy, which must not be collected.
        self._parents_runner, self._runner = self._runner, asyncio.Runner()
        if treatment == "dispose":
            self.dispose()
        else:
            self._engine = getattr(treatments_async if self._asynchronous else treatments, treatment)(
                self._engine
            )
        return self


def serve(channel: Any, make: Callable[[], Steps]) -> None:
    """Make the steps, then do those that are ordered; each has one answer."""
    made: list[Steps] = []
    _answer_with(channel, lambda: made.append(make()))
    while made:
        try:
            name, arguments = channel.recv()
        except EOFError:
            return
        _answer_with(channel, functools.partial(getattr(made[0], name), *arguments))


def _answer_with(channel: Any, call: Callable[[], Any]) -> None:
    try:
        channel.send(("done", call()))
    except StepFailed as error:
        channel.send(("failed", str(error)))
    except Exception as error:
        channel.send(("failed", shown(error)))


VARIES = (
    (r"<.*>", "..."),
    (r"[0-9a-f]{8}-[0-9a-f-]{27}", "..."),
    (r"^(connection failed: )?connection to server at .* failed: (FATAL: +)?|^consuming input failed: ", ""),
)
"""What differs between processes or drivers, and its replacement."""


def shown(error: BaseException) -> str:
    """The first line of the driver's own exception, as it is whatever the process and its addresses."""
    original: BaseException = getattr(error, "orig", None) or error
    # SQLAlchemy wraps the exceptions of asynchronous drivers once more.
    original = original.__cause__ or original
    reason = str(original).strip().partition("\n")[0]
    for pattern, replacement in VARIES:
        reason = re.sub(pattern, replacement, reason)
    return reason or type(original).__name__


def answer(channel: Any) -> Any:
    """The answer to a step. Raises `StepFailed` if it raised, or is not done in time."""
    if not channel.poll(DEADLINE):
        raise StepFailed(HANGS)
    outcome, value = channel.recv()
    if outcome == "failed":
        raise StepFailed(value)
    return value


class Client:
    """A client's process, as its trial sees it: each of the methods of `Steps` is one of its own."""

    def __init__(self, make: Callable[[], Steps]) -> None:
        self._channel, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=serve, args=(theirs, make))
        self._process.start()
        theirs.close()
        self._workers: list[int] = []
        answer(self._channel)

    def fork(self, treatment: str) -> None:
        """Fork a worker, as `Steps.fork` does."""
        self._workers.append(self._step("fork", treatment))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return functools.partial(self._step, name)

    def _step(self, name: str, *arguments: Any) -> Any:
        self._channel.send((name, arguments))
        return answer(self._channel)

    def kill(self) -> None:
        """End the process at once, so that it can close nothing."""
        self._process.kill()
        self._process.join()

    def kill_workers(self) -> None:
        """End the workers that it has forked, which outlive it."""
        for pid in self._workers:
            os.kill(pid, signal.SIGKILL)

"""The worker's side of a trial: runs the task of a hazard, and reports to the parent."""

from __future__ import annotations

import faulthandler
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


class Worker:
    """The argument of a task: the worker's engine, and its pipe to the parent."""

    def __init__(
        self, in_worker: Callable[[Any], Engine], handed: Any, pipe: Any, hands_engine: bool
    ) -> None:
        self._in_worker = in_worker
        self._handed = handed
        self._pipe = pipe
        self._hands_engine = hands_engine

    @property
    def handed(self) -> Any:
        """The value that the parent passed: its engine, untreated, if that is inherited, or the URL."""
        return self._handed

    def engine(self) -> Engine:
        """The worker's engine: inherited and treated, or newly created, as the strategy says."""
        engine: Engine = synchronous(self._in_worker(self._handed))
        return engine

    def treat(self, engine: Engine) -> Engine:
        """Apply the strategy to an inherited engine; unchanged for strategies that make their own."""
        return self._in_worker(engine) if self._hands_engine else engine

    @property
    def descriptor(self) -> int:
        """The number of the descriptor of the pipe to the parent."""
        return int(self._pipe.fileno())

    def report(self, value: Any) -> None:
        """Send an answer to the parent, and continue."""
        self._pipe.send(("answer", value))

    def wait(self) -> None:
        """Wait until the parent calls `WorkerHandle.say`."""
        self._pipe.recv()


def main(
    in_worker: Callable[[Any], Engine],
    handed: Any,
    pipe: Any,
    task: Callable[..., Any],
    hands_engine: bool,
    asynchronous: bool,
    scratch: Path,
    *args: Any,
) -> None:
    """The target of a worker's process: run `task`, and send its result or its exception to the parent.

    With an `asynchronous` driver the task runs in an event loop.
    """
    # A worker that waits forever can still write its stack: this handler does not need the interpreter.
    faulthandler.register(signal.SIGUSR1, stack_file(scratch, os.getpid()).open("w"), all_threads=False)
    pipe.send(("ready", None))
    worker = Worker(in_worker, handed, pipe, hands_engine)
    try:
        value = run_in_loop(task, worker, *args) if asynchronous else task(worker, *args)
    except Exception as error:
        pipe.send(("error", plain(error)))
    else:
        pipe.send(("answer", value))


def synchronous(used: Any) -> Any:
    """The synchronous side of an engine, connection or transaction, which a task can use.

    `used` may be synchronous already, an AsyncEngine, or an object wrapped in `Blocking`.
    """
    return getattr(used, "sync_engine", None) or getattr(used, "synchronous", used)


def run_in_loop(task: Callable[..., Any], *args: Any) -> Any:
    """Run a function in an event loop, where it may use the synchronous side of an AsyncEngine.

    `AsyncConnection.run_sync` runs functions in the same way.
    """
    import asyncio

    from sqlalchemy.util.concurrency import greenlet_spawn

    return asyncio.run(greenlet_spawn(task, *args))


def stack_file(scratch: Path, pid: int) -> Path:
    """The file that the worker with this pid writes its stack to."""
    return scratch / f"stack-{pid}"


def plain(error: BaseException) -> str:
    """An exception in one line: its type and message, without the statement and link that SQLAlchemy adds."""
    message = str(error).split("\n[SQL:")[0].split("\n(Background")[0]
    # asyncio describes tasks and futures with paths.
    message = re.sub(r"(Task|Future) <.*?>(?= got Future| attached to)", r"\1", message)
    return f"{type(error).__name__}: {' '.join(message.split())}"

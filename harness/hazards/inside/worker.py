"""The worker's side of a reproduction: the frame in which a hazard's task runs."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


class Worker:
    """What a task is given in the worker."""

    def __init__(
        self, in_worker: Callable[[Any], Engine], handed: Any, pipe: Any, hands_engine: bool
    ) -> None:
        self._in_worker = in_worker
        self._handed = handed
        self._pipe = pipe
        self._hands_engine = hands_engine

    def engine(self) -> Engine:
        """The worker's engine, by the strategy's own first step."""
        return self._in_worker(self._handed)

    def treat(self, engine: Engine) -> Engine:
        """An engine that was already there: what the strategy does to an inherited one, if it uses that."""
        return self._in_worker(engine) if self._hands_engine else engine

    def report(self, value: Any) -> None:
        self._pipe.send(("answer", value))

    def wait(self) -> None:
        """Until the parent says go."""
        self._pipe.recv()


def main(
    in_worker: Callable[[Any], Engine],
    handed: Any,
    pipe: Any,
    task: Callable[..., Any],
    hands_engine: bool,
    scratch: Path,
    *args: Any,
) -> None:
    # Even a worker that waits for ever can say where: this handler needs no interpreter.
    faulthandler.register(signal.SIGUSR1, stack_file(scratch, os.getpid()).open("w"), all_threads=False)
    pipe.send(("ready", None))
    try:
        value = task(Worker(in_worker, handed, pipe, hands_engine), *args)
    except Exception as error:
        pipe.send(("error", plain(error)))
    else:
        pipe.send(("answer", value))


def stack_file(scratch: Path, pid: int) -> Path:
    return scratch / f"stack-{pid}"


def plain(error: BaseException) -> str:
    """An error as its user reads it, on one line, without SQLAlchemy's hints that follow the first lines."""
    message = str(error).split("\n[SQL:")[0].split("\n(Background")[0]
    return f"{type(error).__name__}: {' '.join(message.split())}"

"""The initializers and tasks of pools; the measured initializer makes the engine usable and fetches a row.

Timestamps are `time.monotonic_ns()`, a clock that all processes of a Linux machine share.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Engine

ROW = text("select :token, pg_backend_pid()")

mark: str | None = None
"""Set in the parent's memory only: a worker that has it was forked."""


def fetch(engine: Engine, token: str) -> tuple[str, int]:
    """Check out a connection, fetch one row, and return the connection to the pool."""
    with engine.connect() as connection:
        row = connection.execute(ROW, {"token": token}).one()
    return row[0], row[1]


def initialize(in_worker: Callable[[Any], Engine], handed: Any, reports: Any, token: str) -> None:
    """The measured initializer: apply the strategy in the worker, and fetch a row.

    All workers share one end of `reports`; a report is short enough for an atomic write to a pipe.
    """
    started = time.monotonic_ns()
    row = fetch(in_worker(handed), token)
    reports.send(
        {
            "started": started,
            "first_row": time.monotonic_ns(),
            "row": row,
            "pid": os.getpid(),
            "ppid": os.getppid(),
            "mark": mark,
        }
    )


def fail(reports: Any) -> None:
    """An initializer that raises."""
    reports.send(os.getpid())
    raise RuntimeError("the initializer failed")


def announce(reports: Any) -> None:
    """An initializer that reports the process it runs in."""
    reports.send(os.getpid())


def which(number: int) -> int:
    """A task that returns the pid of the process it runs in."""
    return os.getpid()

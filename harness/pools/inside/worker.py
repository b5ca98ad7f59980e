"""The worker of a pool: its initializer makes the engine usable and fetches a row, and says what it saw.

Timestamps are `time.monotonic_ns()`, which processes of one Linux machine share.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Engine

ROW = text("select :token, pg_backend_pid()")

mark: str | None = None
"""Set in the parent's memory only: a worker that sees it was forked."""


def fetch(engine: Engine, token: str) -> tuple[str, int]:
    """Check a connection out, fetch one row, give the connection back."""
    with engine.connect() as connection:
        row = connection.execute(ROW, {"token": token}).one()
    return row[0], row[1]


def initialize(in_worker: Callable[[Any], Engine], handed: Any, reports: Any, token: str) -> None:
    """The pool's initializer: the strategy's first step, and the row that proves it.

    All workers share one end of `reports`; a report is shorter than what a pipe takes in one piece.
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
    """An initializer that says in which process it ran."""
    reports.send(os.getpid())


def which(number: int) -> int:
    """A task that says in which process it ran."""
    return os.getpid()

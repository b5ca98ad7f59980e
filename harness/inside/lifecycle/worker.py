"""The worker: makes its engine usable, fetches two rows, says what it saw, waits, leaves.

Timestamps are `time.monotonic_ns()`, which processes of one Linux machine share.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Engine

from harness.system import memory

ROW = text("select :token, pg_backend_pid()")

mark: str | None = None
"""Set in the parent's memory only: a worker that sees it was forked."""


def fetch(engine: Engine, token: str) -> tuple[str, int]:
    """Check a connection out, fetch one row, give the connection back.

    The row is the worker's proof: its own token, and the backend that answered.
    """
    with engine.connect() as connection:
        row = connection.execute(ROW, {"token": token}).one()
    return row[0], row[1]


def work(in_worker: Callable[[Any], Engine], handed: Any, channel: Any, token: str) -> None:
    """The worker's whole life. `channel` is a `multiprocessing` connection to the parent."""
    started = time.monotonic_ns()
    engine = in_worker(handed)
    usable = time.monotonic_ns()
    first = fetch(engine, token)
    first_row = time.monotonic_ns()
    second = fetch(engine, token)
    second_row = time.monotonic_ns()
    channel.send(
        {
            "started": started,
            "usable": usable,
            "first_row": first_row,
            "second_row": second_row,
            "rows": [first, second],
            "pid": os.getpid(),
            "ppid": os.getppid(),
            "mark": mark,
            "pandas": "pandas" in sys.modules,
            "memory": memory.read(),
        }
    )
    # The barrier: the parent lets go when it has read all this, so that nobody is gone too early for
    # the others' proportional memory, and so that leaving is timed from a known moment.
    channel.recv()

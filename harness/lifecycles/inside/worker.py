"""The worker: it makes its engine usable, fetches two rows, reports, waits for its parent and exits.

Timestamps are `time.monotonic_ns()`, a clock that all processes of a Linux machine share. CPU time is
read right behind each, which takes half a microsecond of the phase that follows.
"""

from __future__ import annotations

import gc
import os
import sys
import time

from sqlalchemy import text

from harness.lifecycles import inside as lifecycle
from harness.system import memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy.engine import Engine

ROW = text("select :token, pg_backend_pid()")

mark: str | None = None
"""Set in the parent's memory only: a worker in which it is set was forked."""


def fetch(engine: Engine, token: str) -> tuple[str, int]:
    """Check a connection out, fetch one row, return the connection to the pool.

    The row proves the work: the token that was sent, and the pid of the backend that answered.
    """
    with engine.connect() as connection:
        row = connection.execute(ROW, {"token": token}).one()
    return row[0], row[1]


def collections() -> list[int]:
    """Garbage collections in this process so far, by generation; a forked worker inherits the counts."""
    return [generation["collections"] for generation in gc.get_stats()]


def work(in_worker: Callable[[Any], Engine], handed: Any, channel: Any, token: str, collect: bool) -> None:
    """The worker's function. `channel` is a `multiprocessing` connection to the parent.

    If `collect` is true, it ends with a full garbage collection, after everything else has been measured.
    """
    started = time.monotonic_ns()
    cpu_started = time.process_time_ns()
    collected = [collections()]
    engine = in_worker(handed)
    usable = time.monotonic_ns()
    cpu_usable = time.process_time_ns()
    collected.append(collections())
    first = fetch(engine, token)
    first_row = time.monotonic_ns()
    cpu_first_row = time.process_time_ns()
    collected.append(collections())
    second = fetch(engine, token)
    second_row = time.monotonic_ns()
    cpu_second_row = time.process_time_ns()
    collected.append(collections())
    stamps = {
        "started": started,
        "usable": usable,
        "first_row": first_row,
        "second_row": second_row,
        "cpu_started": cpu_started,
        "cpu_usable": cpu_usable,
        "cpu_first_row": cpu_first_row,
        "cpu_second_row": cpu_second_row,
    }
    report(stamps, [first, second], collected, engine.driver, channel, collect)


def report(
    stamps: dict[str, int],
    rows: list[tuple[str, int]],
    collected: list[list[int]],
    driver: str,
    channel: Any,
    collect: bool,
) -> None:
    """Send a `WorkerReport`, and wait until the parent lets the worker exit."""
    message: dict[str, Any] = {
        **stamps,
        "rows": rows,
        "pid": os.getpid(),
        "ppid": os.getppid(),
        "mark": mark,
        "preloaded": lifecycle.AFTER_SQLALCHEMY,
        "pandas": "pandas" in sys.modules,
        "modules": len(sys.modules),
        "collections": collected,
        "memory": memory.read(),
    }
    if collect:
        before = time.monotonic_ns()
        gc.collect()
        message["collect"] = time.monotonic_ns() - before
        message["memory_collected"] = memory.read()
        message["driver"] = driver
        message["imported"] = list(sys.modules)
    channel.send(message)
    # The parent answers when it has read the report, so that exiting is timed from a known moment.
    channel.recv()

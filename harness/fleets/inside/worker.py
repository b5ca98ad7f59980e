"""A worker of a fleet: it fetches a row, collects garbage, and reads the DataFrame, as the parent orders.

Timestamps are `time.monotonic_ns()`, a clock that all processes of a Linux machine share.
"""

import gc
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Engine

ROW = text("select :token, pg_backend_pid()")

mark: str | None = None
"""Set in the parent's memory only: a worker that has it was forked by it."""

frame: Any = None
"""The parent's DataFrame; None in a worker that does not inherit it."""


def fetch(engine: Engine, token: str) -> tuple[str, int]:
    """Check out a connection, fetch one row, and return the connection to the pool."""
    with engine.connect() as connection:
        row = connection.execute(ROW, {"token": token}).one()
    return row[0], row[1]


def work(
    in_worker: Callable[[Any], Engine], handed: Any, channel: "Connection[Any, Any]", token: str
) -> None:
    """Apply the strategy, fetch a row, and follow the parent's orders until it sends None."""
    row = fetch(in_worker(handed), token)
    channel.send({"first_row": time.monotonic_ns(), "row": row, "pid": os.getpid(), "mark": mark})
    while order := channel.recv():
        if order == "collect":
            gc.collect()
        elif frame is not None:
            # The texts are objects: reading one writes to its reference count, and so copies its page.
            sum(map(len, frame["customer"]))
        channel.send(order)

"""A worker of a fleet: it fetches a row, and takes the steps that the parent orders.

`collect` is a full garbage collection, `read` reads the texts of the DataFrame, `["query", 100]` are so many
checkouts with a query each, whose ends are the answer, and `["sleep", 0.2]` are seconds.

Timestamps are `time.monotonic_ns()`, a clock that all processes of a Linux machine share.
"""

import gc
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

ROW = text("select :token, pg_backend_pid()")

mark: str | None = None
"""Set in the parent's memory only: a worker that has it was forked by it."""

frame: Any = None
"""The parent's data; None in a worker that does not inherit them."""


def fetch(engine: Engine, token: str) -> tuple[str, int]:
    """Check out a connection, fetch one row, and return the connection to the pool."""
    with engine.connect() as connection:
        row = connection.execute(ROW, {"token": token}).one()
    return row[0], row[1]


def work(
    in_worker: Callable[[Any], Engine],
    handed: Any,
    channel: "Connection[Any, Any]",
    token: str,
    fetch: Callable[[Any, str], tuple[str, int]] = fetch,
) -> None:
    """Apply the strategy, fetch a row, and follow the parent's orders until it sends None."""
    begun = time.monotonic_ns()
    engine = in_worker(handed)
    row = fetch(engine, token)
    first_row = time.monotonic_ns()
    channel.send({"begun": begun, "first_row": first_row, "row": row, "pid": os.getpid(), "mark": mark})
    while order := channel.recv():
        answer = order
        if order == "collect":
            gc.collect()
        elif order == "read":
            if frame is not None:
                # The texts are objects: reading one writes to its reference count, and so copies its page.
                sum(map(len, frame["customer"]))
        elif order[0] == "sleep":
            time.sleep(order[1])
        else:
            answer = []
            for _ in range(order[1]):
                fetch(engine, token)
                answer.append(time.monotonic_ns())
        channel.send(answer)


def take(
    in_worker: Callable[[Any], Engine],
    handed: Any,
    channels: list["Connection[Any, Any]"],
    token: str,
    turn: "Synchronized[int]",
) -> None:
    """The initializer of a pool's worker: take the next of the `channels`, and work as any worker does."""
    with turn.get_lock():
        number = turn.value
        turn.value += 1
    work(in_worker, handed, channels[number], token)


def create_with(url: str, options: dict[str, Any]) -> Engine:
    """The engine of a worker that inherits none, with these options."""
    return create_engine(url, **options)

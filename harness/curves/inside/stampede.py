"""Workers that connect at the same moment to a server with too few connections, and try again.

It reads an order, a line of JSON, and reports in one. `python -m harness.curves.inside.stampede`
"""

import json
import multiprocessing
import random
import sys
import time
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Barrier
from typing import Any, TypedDict

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool, QueuePool

REFUSED = ("too many clients", "connection slots are reserved", "too many connections")
"""What PostgreSQL says to a client for which it has no connection."""

FIXED_S, FIRST_S, LONGEST_S = 0.05, 0.02, 0.64
"""Seconds between attempts: always the same, or doubled from the first to the longest, less up to half."""

DEADLINE = 60.0
"""Seconds for all workers to begin."""


class StampedeOrder(TypedDict):
    """What to start."""

    url: str
    workers: int
    pool: str
    """`pool` or `nullpool`."""
    retry: str
    """`none`, `fixed` or `backoff`."""
    patience: float
    """Seconds for which a worker tries."""


class Attempts(TypedDict):
    """What became of one worker."""

    row: float | None
    """Seconds from the moment at which all began until it had a row; None if it gave up."""
    refused: int
    """Attempts for which the server had no connection."""


def main() -> None:
    order: StampedeOrder = json.loads(sys.stdin.readline())
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(order["workers"])
    pairs = [context.Pipe() for _ in range(order["workers"])]
    processes = [context.Process(target=work, args=(order, barrier, theirs)) for _, theirs in pairs]
    try:
        for process, (_, theirs) in zip(processes, pairs, strict=True):
            process.start()
            theirs.close()
        reports, waiting = [], {ours for ours, _ in pairs}
        while waiting:
            ready = wait(list(waiting), DEADLINE + order["patience"])
            if not ready:
                raise TimeoutError(f"{len(waiting)} workers did not report")
            for channel in ready:
                assert isinstance(channel, Connection)
                reports.append(channel.recv())
                waiting.discard(channel)
        # A worker keeps what its pool holds until all have reported.
        for ours, _ in pairs:
            ours.send(None)
        for process in processes:
            process.join(DEADLINE)
    finally:
        for process in processes:
            process.kill()
    print(json.dumps(reports), flush=True)


def work(order: StampedeOrder, barrier: Barrier, channel: "Connection[Any, Any]") -> None:
    """Connect with all others, fetch a row, report, and wait for the end."""
    engine = create_engine(order["url"], poolclass=QueuePool if order["pool"] == "pool" else NullPool)
    barrier.wait(DEADLINE)
    begun = time.monotonic()
    report: Attempts = {"row": None, "refused": 0}
    pause = FIRST_S
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text("select 1")).one()
            report["row"] = time.monotonic() - begun
            break
        except OperationalError as error:
            if not any(words in str(error) for words in REFUSED):
                raise
            report["refused"] += 1
        if order["retry"] == "none" or time.monotonic() - begun > order["patience"]:
            break
        time.sleep(FIXED_S if order["retry"] == "fixed" else random.uniform(pause / 2, pause))
        pause = min(2 * pause, LONGEST_S)
    channel.send(report)
    channel.recv()


if __name__ == "__main__":
    main()

"""The worker of an asynchronous driver: the steps of `harness.lifecycles.inside.worker`, in an event loop.

The engine is ready when the loop runs and the engine can be used: to start a loop is part of what such a
worker needs. The loop ends after the last message, within the time to exit.
"""

from __future__ import annotations

import asyncio
import time

from harness.lifecycles.inside import worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy.ext.asyncio import AsyncEngine


async def fetch(engine: AsyncEngine, token: str) -> tuple[str, int]:
    """Check a connection out, fetch one row, return the connection to the pool."""
    async with engine.connect() as connection:
        row = (await connection.execute(worker.ROW, {"token": token})).one()
    return row[0], row[1]


def work(
    in_worker: Callable[[Any], AsyncEngine], handed: Any, channel: Any, token: str, collect: bool
) -> None:
    """The worker's function, with the arguments of `harness.lifecycles.inside.worker.work`."""
    stamps = {"started": time.monotonic_ns(), "cpu_started": time.process_time_ns()}
    collected = [worker.collections()]
    asyncio.run(measured(in_worker, handed, channel, token, collect, stamps, collected))


async def measured(
    in_worker: Callable[[Any], AsyncEngine],
    handed: Any,
    channel: Any,
    token: str,
    collect: bool,
    stamps: dict[str, int],
    collected: list[list[int]],
) -> None:
    """What the worker does in its event loop."""
    engine = in_worker(handed)
    usable = time.monotonic_ns()
    cpu_usable = time.process_time_ns()
    collected.append(worker.collections())
    first = await fetch(engine, token)
    first_row = time.monotonic_ns()
    cpu_first_row = time.process_time_ns()
    collected.append(worker.collections())
    second = await fetch(engine, token)
    second_row = time.monotonic_ns()
    cpu_second_row = time.process_time_ns()
    collected.append(worker.collections())
    stamps |= {
        "usable": usable,
        "first_row": first_row,
        "second_row": second_row,
        "cpu_usable": cpu_usable,
        "cpu_first_row": cpu_first_row,
        "cpu_second_row": cpu_second_row,
    }
    # Nothing else runs in the loop, so that the worker may wait in it.
    worker.report(stamps, [first, second], collected, engine.driver, channel, collect)

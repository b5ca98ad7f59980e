"""A worker of a fleet with an asynchronous driver: `harness.fleets.inside.worker` in an event loop."""

import asyncio
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from harness.fleets.inside import worker


def fetcher(runner: asyncio.Runner) -> Callable[[Any, str], tuple[str, int]]:
    """`worker.fetch` for an AsyncEngine, whose loop runs only during the query."""

    async def fetched(engine: AsyncEngine, token: str) -> tuple[str, int]:
        async with engine.connect() as connection:
            row = (await connection.execute(worker.ROW, {"token": token})).one()
        return row[0], row[1]

    return lambda engine, token: runner.run(fetched(engine, token))


def work(in_worker: Callable[[Any], Any], handed: Any, channel: "Connection[Any, Any]", token: str) -> None:
    """`worker.work` for an AsyncEngine."""
    with asyncio.Runner() as runner:
        worker.work(in_worker, handed, channel, token, fetcher(runner))

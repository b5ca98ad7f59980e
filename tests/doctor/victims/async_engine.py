"""A worker uses its parent's AsyncEngine, in a loop of its own."""

import asyncio
import os
import time

from common import BROKEN, URL, ready
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(URL.replace("+psycopg2", "+psycopg"))


async def query(times: int) -> None:
    for _ in range(times):
        async with engine.connect() as connection:
            await connection.execute(text("select 1"))
        await asyncio.sleep(0.02)


async def work() -> None:
    await query(1)
    ready()
    await query(100_000)


asyncio.run(query(1))
if os.fork() == 0:
    if not BROKEN:
        engine.sync_engine.dispose(close=False)
    asyncio.run(work())
time.sleep(600)

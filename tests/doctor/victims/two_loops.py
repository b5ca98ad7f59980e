"""An engine of asyncpg that is used in two event loops, or gives back its connections at the end of each."""

import asyncio
import time

from common import BROKEN, URL, ready
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(URL.partition("?")[0].replace("psycopg2", "asyncpg"))


async def task():
    async with engine.connect() as connection:
        await connection.execute(text("select 1"))
    if not BROKEN:
        await engine.dispose()


asyncio.run(task())
try:
    asyncio.run(task())
except RuntimeError:
    assert BROKEN
ready()
time.sleep(600)

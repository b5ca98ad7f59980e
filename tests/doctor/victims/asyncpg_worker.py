"""A worker that was forked from a running event loop drops the connections of asyncpg that it inherited."""

import asyncio
import gc
import multiprocessing
import time

from common import BROKEN, URL, ready
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(URL.partition("?")[0].replace("psycopg2", "asyncpg"))


async def query():
    async with engine.connect() as connection:
        await connection.execute(text("select 1"))


async def begin():
    if BROKEN:
        await engine.dispose(close=False)
        gc.collect()
    await query()
    ready()
    time.sleep(600)


async def main():
    await query()
    multiprocessing.get_context("fork" if BROKEN else "spawn").Process(target=work).start()
    await asyncio.sleep(600)


def work():
    asyncio.run(begin())


if __name__ == "__main__":
    asyncio.run(main())

"""A worker that was forked from a running event loop drops asyncpg's connections, and its parent hangs."""

import asyncio
import gc
import multiprocessing
import os
import sys

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(os.environ["VICTIM_URL"].partition("?")[0].replace("psycopg2", "asyncpg"))


async def query():
    async with engine.connect() as connection:
        await connection.execute(text("select 1"))


def work():
    # paste
    # end
    engine.sync_engine.dispose(close=False)
    gc.collect()
    asyncio.run(query())


async def main():
    await query()
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    worker.join()
    try:
        await asyncio.wait_for(query(), 5)
    except TimeoutError:
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

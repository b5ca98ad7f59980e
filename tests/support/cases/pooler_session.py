"""Two processes with NullPool and engines of their own, behind PgBouncer in transaction mode."""

import asyncio
import multiprocessing
import os
import sys
import uuid

from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

URL = make_url(os.environ["URL"]).set(drivername=os.environ["DRIVER"])
SYNC = URL.drivername.endswith("psycopg")

# broken: engine
engine = (create_engine if SYNC else create_async_engine)(URL, poolclass=NullPool)
# end


def by_psycopg():
    for _ in range(8):
        with engine.begin() as connection:
            for _ in range(6):
                connection.execute(text("select 1"))


async def by_asyncpg():
    for _ in range(8):
        async with engine.begin() as connection:
            await connection.execute(text("select 1"))


def work(_):
    try:
        by_psycopg() if SYNC else asyncio.run(by_asyncpg())
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    assert uuid
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        errors = list(filter(None, pool.map(work, range(4), chunksize=1)))
    sys.exit(errors[0] if errors else 0)

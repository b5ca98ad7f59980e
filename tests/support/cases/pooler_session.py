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


def by_psycopg(then):
    with engine.connect() as connection:
        with connection.begin():
            for _ in range(6):
                connection.execute(text("select 1"))
        then()


async def by_asyncpg(then):
    async with engine.connect() as connection:
        async with connection.begin():
            await connection.execute(text("select 1"))
        await asyncio.to_thread(then)


def use(then):
    """Use a connection in a transaction, and keep it open until `then` returns."""
    by_psycopg(then) if SYNC else asyncio.run(by_asyncpg(then))


def work():
    try:
        use(lambda: None)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    assert uuid
    errors = []
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        use(lambda: errors.append(pool.apply(work)))
    sys.exit(errors[0] or 0)

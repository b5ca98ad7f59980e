"""A worker is forked from a running event loop, and drops the inherited pool as documented."""

import asyncio
import gc
import multiprocessing
import os

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

URL = make_url(os.environ["URL"])
engine = create_async_engine(URL.set(drivername="postgresql+asyncpg", query={}))


# broken: worker
def in_worker():
    engine.sync_engine.dispose(close=False)


# end


async def backend():
    async with engine.connect() as connection:
        return (await connection.execute(text("select pg_backend_pid()"))).scalar()


def work():
    in_worker()
    gc.collect()
    asyncio.run(backend())


async def main():
    before = await backend()
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    worker.join()
    with create_engine(URL.set(drivername="postgresql+psycopg2")).connect() as connection:
        sessions = text("select count(*) from pg_stat_activity where pid = :pid")
        return connection.execute(sessions, {"pid": before}).scalar()


if __name__ == "__main__":
    alive = asyncio.run(main())
    print("the parent's session is alive:", bool(alive), flush=True)
    os._exit(0 if alive else 1)

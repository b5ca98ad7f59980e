"""A forked worker runs tasks by asyncio.run(), with an async engine that the parent has used as well."""

import asyncio
import multiprocessing
import os
import sys
import traceback

from sqlalchemy import NullPool, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

URL = make_url(os.environ["URL"]).set(drivername="postgresql+asyncpg", query={})

# broken: engine
engine = create_async_engine(URL)
# end
# broken: run
run = asyncio.run
# end


async def query():
    async with engine.connect() as connection:
        return (await connection.execute(text("select pg_backend_pid()"))).scalar()


def work(answer):
    if os.environ.get("ADVISED"):
        engine.sync_engine.dispose(close=False)
    for _ in range(3):
        try:
            answer.put(run(query()))
        except Exception:
            answer.put(traceback.format_exc().splitlines()[-1])


if __name__ == "__main__":
    assert NullPool
    parent = asyncio.run(query())
    context = multiprocessing.get_context("fork")
    answer = context.SimpleQueue()
    worker = context.Process(target=work, args=(answer,))
    worker.start()
    seen = [answer.get() for _ in range(3)]
    worker.join()
    print("parent", parent, "worker", *seen)
    errors = [each for each in seen if isinstance(each, str)]
    sys.exit(errors[0] if errors else int(parent in seen))

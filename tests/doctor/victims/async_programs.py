"""An AsyncEngine in a program that starts others all the time, in the same loop."""

import asyncio
import sys

from common import URL, ready
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(URL.replace("+psycopg2", "+psycopg"))


async def query() -> None:
    while True:
        async with engine.connect() as connection:
            await connection.execute(text("select 1"))
        await asyncio.sleep(0.02)


async def start() -> None:
    while True:
        program = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", "")
        await program.wait()


async def main() -> None:
    async with engine.connect() as connection:
        await connection.execute(text("select 1"))
    ready()
    await asyncio.gather(query(), start())


asyncio.run(main())

"""The database module of programs with an AsyncEngine: as `database`, with psycopg's asynchronous side."""

import os
from typing import Any

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from harness.programs.inside.common.database import URL, failed, hold, report

engine = create_async_engine(make_url(URL).set(drivername="postgresql+psycopg"))


async def fetch(token: str) -> tuple[str, int]:
    async with engine.connect() as connection:
        asked = text("select cast(:token as text), pg_backend_pid()")
        row = (await connection.execute(asked, {"token": token})).one()
    return row[0], row[1]


async def warm() -> None:
    """Leave a connection in the engine's pool."""
    report(f"loaded-{os.getpid()}", backend=(await fetch("loaded"))[1])


async def row(token: str) -> list[Any]:
    """The task of a worker; while it holds its row, its event loop stands still, and accepts no request."""
    with failed(token):
        echo, backend = await fetch(token)
    return hold(token, echo, backend)

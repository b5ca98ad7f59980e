"""A web application with FastAPI and an AsyncEngine, which each worker loads itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request

from harness.programs.inside.common.async_database import row, warm


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await warm()
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def answer(request: Request) -> Any:
    return await row(request.url.query)

# /// script
# dependencies = [
#     "fastapi==0.165.0", "granian==2.8.9",
#     "psycopg[binary]==3.3.9", "greenlet==3.5.6",
# ]
#
# [tool.poolstart]
# title = "FastAPI with an AsyncEngine, `granian --workers`"
# link = "https://github.com/emmett-framework/granian#workers-and-threads"
# starts = "load"
# makes = "engine = create_async_engine(URL{arguments})"
# count = "--workers {workers}"
# start = [
#     "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}", "--workers", "2",
#     "--respawn-failed-workers", "application:app",
# ]
# besides = """
# A program of your own that has loaded the application, and calls `granian.Granian(...).serve()`, forks its \
# workers up to Python 3.13, and they share its connections: dispose of its engines in the loader of the \
# target, which runs in the worker, or load the application there only."""
# client = "harness.programs.inside.common.wsgi"
# clock = "the call of `granian`, with the request waiting"
# ///
"""granian: each worker loads the application itself, so no hook is needed."""

import asyncio
from typing import Any

from fastapi import FastAPI, Request, Response

from harness.programs.inside.common.asgi import lifespan
from harness.programs.inside.common.async_database import fetch
from harness.programs.inside.common.database import failed, hold

app = FastAPI(lifespan=lifespan)
holding = asyncio.Lock()


@app.get("/")
async def answer(request: Request) -> Any:
    # granian accepts requests although Python waits: one that came to this worker has to go to another.
    if holding.locked():
        return Response(status_code=503)
    token = request.url.query
    async with holding:
        with failed(token):
            echo, backend = await fetch(token)
        return await asyncio.to_thread(hold, token, echo, backend)

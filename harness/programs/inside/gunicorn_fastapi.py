# /// script
# dependencies = [
#     "fastapi==0.165.0", "gunicorn==27.0.1", "uvicorn-worker==0.4.0", "uvicorn==0.54.0",
#     "psycopg[binary]==3.3.9", "greenlet==3.5.6",
# ]
#
# [tool.poolstart]
# title = "FastAPI with an AsyncEngine under gunicorn, `preload_app`"
# link = "https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#using-multiple-asyncio-event-loops"
# starts = "fork"
# makes = "engine = create_async_engine(URL{arguments})"
# count = "workers = {workers}"
# instead = "leave out `preload_app`"
# start = ["gunicorn", "--config", "python:application", "--bind", "127.0.0.1:{port}", "application:app"]
# besides = """
# `await engine.dispose(close=False)` needs a running loop, which `post_fork` lacks; without await it does \
# nothing. Each worker has an event loop of its own, and no connection may outlive its loop: what is read at \
# import, as here, is better read in the application's lifespan. A synchronous engine, for `def` endpoints: \
# `engine.dispose(close=False)`."""
# client = "harness.programs.inside.common.wsgi"
# clock = "the call of `gunicorn`, with the request waiting"
# ///
"""FastAPI: this module is gunicorn's configuration file and the application, which connects at its import."""

import asyncio
from typing import Any

from fastapi import FastAPI, Request

from harness.programs.inside.common.async_database import engine, row, warm

workers = 2
worker_class = "uvicorn_worker.UvicornWorker"
preload_app = True
# A worker that holds a row sends no heartbeat.
timeout = 120

app = FastAPI()


@app.get("/")
async def answer(request: Request) -> Any:
    return await row(request.url.query)


asyncio.run(warm())


# hook
def post_fork(server: Any, worker: Any) -> None:
    engine.sync_engine.dispose(close=False)


# end of hook

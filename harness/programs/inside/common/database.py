"""The database module of every program: a URL, an engine, and the task that fetches a row.

A worker reports its row, with a timestamp, in a file before it returns it, so the time does not include the
program's way of returning results. It then waits for the gate: while the gate is shut, the next request goes
to another worker, and all of them are alive while their memory is read.

Timestamps are `time.monotonic_ns()`, a clock that all processes of a Linux machine share.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

URL = os.environ["DATABASE_URL"]
SCRATCH = Path(os.environ["POOLSTART_SCRATCH"])
TASKS = int(os.environ["POOLSTART_TASKS"]) or None
"""Tasks after which a worker is replaced; None for never."""

engine = create_engine(URL)

disposed: list[int] = []
"""The pids of the processes in which an engine's `dispose` was called, in that order."""


@event.listens_for(Engine, "engine_disposed")
def _disposed(_: Engine) -> None:
    disposed.append(os.getpid())


def warm(engine: Engine = engine) -> None:
    """Leave a connection in the engine's pool, like an application that reads a setting at import time."""
    report(f"loaded-{os.getpid()}", backend=fetch(engine, "loaded")[1])


def fetch(engine: Engine, token: str) -> tuple[str, int]:
    with engine.connect() as connection:
        row = connection.execute(text("select :token, pg_backend_pid()"), {"token": token}).one()
    return row[0], row[1]


def row(token: str, engine: Engine = engine) -> list[Any]:
    """The task of a worker: get `token` back from the server, and the server's pid of the session."""
    with failed(token):
        echo, backend = fetch(engine, token)
    return hold(token, echo, backend)


@contextmanager
def failed(token: str) -> Iterator[None]:
    """Report an error, and raise it."""
    try:
        yield
    except Exception as error:
        report(token, error=f"{type(error).__name__}: {error}")
        raise


def hold(token: str, echo: str, backend: int) -> list[Any]:
    """Report a row, and hold it while the gate is shut."""
    report(token, first_row=time.monotonic_ns(), echo=echo, backend=backend, hooked=os.getpid() in disposed)
    with open(SCRATCH / "gate") as gate:
        fcntl.flock(gate, fcntl.LOCK_SH)
    return [echo, backend]


def report(name: str, **fields: Any) -> None:
    """Write a report atomically."""
    path = SCRATCH / "reports" / name
    unfinished = path.with_name(f"{name}.{os.getpid()}.unfinished")
    unfinished.write_text(json.dumps({"pid": os.getpid(), **fields}))
    unfinished.rename(path)

"""The database module of every program: a URL, an engine, and the row that a worker is asked for.

A row is reported in a file before it is returned, with the moment at which it was there, so that no program's
way back is part of the time. A worker that has reported waits for the gate: while it is shut, the next to be
asked is another worker, and all of them are alive to have their memory read.

Timestamps are `time.monotonic_ns()`, which processes of one Linux machine share.
"""

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

URL = os.environ["DATABASE_URL"]
SCRATCH = Path(os.environ["POOLSTART_SCRATCH"])
TASKS = int(os.environ["POOLSTART_TASKS"]) or None
"""After how many tasks a worker is replaced."""

engine = create_engine(URL)

disposed: list[int] = []
"""The processes in which, one after another, this engine was disposed of."""


@event.listens_for(engine, "engine_disposed")
def _disposed(_: Engine) -> None:
    disposed.append(os.getpid())


def warm() -> None:
    """Leave a connection in the engine's pool, as an application does that reads a setting when imported."""
    report(f"loaded-{os.getpid()}", backend=fetch(engine, "loaded")[1])


def fetch(engine: Engine, token: str) -> tuple[str, int]:
    with engine.connect() as connection:
        row = connection.execute(text("select :token, pg_backend_pid()"), {"token": token}).one()
    return row[0], row[1]


def row(token: str, engine: Engine = engine) -> list[Any]:
    """What a worker is asked for: `token` back from the server, and the session it came by."""
    try:
        echo, backend = fetch(engine, token)
    except Exception as error:
        report(token, error=f"{type(error).__name__}: {error}")
        raise
    report(token, first_row=time.monotonic_ns(), echo=echo, backend=backend, hooked=os.getpid() in disposed)
    with open(SCRATCH / "gate") as gate:
        fcntl.flock(gate, fcntl.LOCK_SH)
    return [echo, backend]


def report(name: str, **fields: Any) -> None:
    """Say something to whoever watches; it is there whole or not at all."""
    path = SCRATCH / "reports" / name
    unfinished = path.with_name(f"{name}.{os.getpid()}.unfinished")
    unfinished.write_text(json.dumps({"pid": os.getpid(), **fields}))
    unfinished.rename(path)

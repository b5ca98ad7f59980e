"""4. An engine with `pool_size=5` is used in the parent; then the tasks of `Pool(2)` connect.

First on SQLite, then the same on PostgreSQL, where it matters.
"""

import multiprocessing
import os
from multiprocessing.pool import Pool

import sqlalchemy
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from harness.demos.helpers import options, postgresql, tell

SQLITE = "sqlite:///example.db"


def make(url: str) -> Engine:
    return create_engine(url, pool_size=5)


def sqlite() -> Engine:
    """An engine with `pool_size=5`, or without it in releases whose pool for SQLite files has no size."""
    try:
        return make(SQLITE)
    except TypeError as error:
        if __name__ == "__main__":
            tell("user", f"SQLAlchemy {sqlalchemy.__version__} refuses: {str(error).split('.  ')[0]}.")
        return create_engine(SQLITE)


# As people write it: at the top, so that tasks find it. A spawned worker makes its own, here.
ENGINES = {"SQLite": sqlite(), "PostgreSQL": make(postgresql())}
OPENED: dict[str, list[int]] = {name: [] for name in ENGINES}
"""Which process opened each connection."""

for name, engine in ENGINES.items():
    sqlalchemy.event.listen(engine, "connect", lambda *_, name=name: OPENED[name].append(os.getpid()))


def forget() -> None:
    """The cure."""
    for engine in ENGINES.values():
        engine.dispose(close=False)


def look(name: str) -> tuple[int, int]:
    """Connect and query; returns which process opened the connection, and which backend answered."""
    with ENGINES[name].connect() as connection:
        question = "select pg_backend_pid()" if name == "PostgreSQL" else "select 0"
        backend = connection.exec_driver_sql(question).scalar()
    return OPENED[name][-1], int(backend or 0)


def show(name: str, pool: Pool, backend: int) -> None:
    opener, answered = pool.apply(look, (name,))
    whose = "that the parent opened" if opener == os.getpid() else "of its own"
    tell("worker", f"Connects to {name}, and has a connection {whose}.")
    if name == "PostgreSQL":
        sessions = "one session for parent and worker" if answered == backend else "a session for each"
        tell("server", f"Has {sessions}.")


if __name__ == "__main__":
    arguments = options()
    backends = {}
    for name, engine in ENGINES.items():
        backends[name] = look(name)[1]
        tell("parent", f"Has used its engine for {name}, a {type(engine.pool).__name__}, once.")
    with multiprocessing.get_context(arguments.start_method).Pool(
        2, initializer=forget if arguments.cured else None
    ) as pool:
        for name in ENGINES:
            show(name, pool, backends[name])

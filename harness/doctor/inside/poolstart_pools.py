"""Events of SQLAlchemy's pools and engines."""

from __future__ import annotations

import functools
import os
import sys
from _thread import get_ident
from os import getpid

import poolstart_engines
import poolstart_errors
import poolstart_frames as frames
import poolstart_processes
import poolstart_watch as watch
from poolstart_frames import place
from poolstart_hooks import Replacement, before, preceded, safely, when_imported
from poolstart_watch import Opened, State, inode_of, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OLDEST = (1, 4)
"""Of SQLAlchemy. Older ones are left as they are."""

MANY = 10
"""How many engines for one database have to be made at one line before they are examined."""

IDLE = 3
"""How many of these have to hold idle connections for a report."""


def install() -> None:
    when_imported("sqlalchemy", listen)
    when_imported("threading", lambda module: before(module.Thread, "start", watch.several))


def listen(module: Any) -> None:
    if tuple(map(int, module.__version__.split(".")[:2])) < OLDEST:
        return
    watch.prepare()
    safely(poolstart_engines.listen)()
    from sqlalchemy import event
    from sqlalchemy.engine import Connection, Engine
    from sqlalchemy.pool import Pool
    from sqlalchemy.pool.base import _ConnectionFairy

    event.listen(Pool, "connect", safely(connect))
    event.listen(Pool, "close", safely(close))
    # Not by the events `checkout` and `checkin`: each query would pay for them.
    State.checkout = Replacement(_ConnectionFairy, "_checkout", checkout)
    State.checkin = Replacement(Pool, "_return_conn", preceded(returned))
    State.query = Replacement(Connection, "_execute_context", preceded(executing))
    watch.observe()
    safely(poolstart_errors.listen)()
    dispose = Engine.dispose

    def __new__(cls: Any, *arguments: Any, **options: Any) -> Any:
        # Not __init__: create_engine() reads the names of its arguments.
        engine = object.__new__(cls)
        safely(made)(engine, *arguments)
        return engine

    def disposed(self: Any, *arguments: Any, **options: Any) -> Any:
        pool = self.pool
        result = dispose(self, *arguments, **options)
        safely(treated)(self, pool)
        return result

    Engine.__new__ = staticmethod(__new__)  # type: ignore[method-assign]
    Engine.dispose = disposed  # type: ignore[method-assign]


def follow() -> None:
    """In a worker whose parent had connections checked out: these can be used without a checkout."""
    inherited = list((State.opened or {}).items())
    for record, opened in inherited:
        opened.out = record.in_use
    if any(opened.out for _, opened in inherited):
        State.query.replace(True)


def executing(connection: Any, *_: Any, **__: Any) -> None:
    proxied = connection._dbapi_connection
    record = getattr(proxied, "_connection_record", None)
    opened = State.opened.get(record) if record is not None else None
    if opened is not None and opened.out and opened.pid != os.getpid():
        opened.out = False
        use(opened, record, held=True)


def made(engine: Any, pool: Any = None, dialect: Any = None, url: Any = None, *_: Any) -> None:
    if url is None:
        # An engine with other options: it has the pool of the one that it was made from.
        return
    where = place()
    if frames.within("flask_sqlalchemy"):
        where += " (Flask-SQLAlchemy)"
    State.engines[engine] = where
    key = (where, str(url))
    State.made[key] = State.made.get(key, 0) + 1


def treated(engine: Any, pool: Any) -> None:
    report("disposed", engine=State.engines.get(engine, ""), place=place())
    for record, opened in list(State.opened.items()):
        # It is in a cycle of references, and may stay for long.
        if opened.pid != os.getpid() and pool_of(record) is pool is not engine.pool and not record.in_use:
            opened.left = True
    if State.forked:
        poolstart_engines.left()


def pool_of(record: Any) -> Any:
    return getattr(record, "_ConnectionRecord__pool", None)


def engine_of(record: Any) -> Any:
    """The engine of a connection; None if it is not known."""
    pool = pool_of(record)
    return next((each for each in list(State.engines) if getattr(each, "pool", None) is pool), None)


def connect(dbapi: Any, record: Any) -> None:
    engine = engine_of(record)
    if engine is not None and engine.dialect.name == "sqlite":
        # A database in memory is copied by a fork, and each process has its own.
        return
    State.count += 1
    State.threads[id(record)] = get_ident()
    # Threads and forks that no hook has noticed, such as those of servers written in C.
    State.threaded = State.threaded or len(sys._current_frames()) > 1
    watch.observe()
    pid = os.getpid()
    where = State.engines.get(engine, "") if engine is not None else ""
    State.opened[record] = Opened(f"{pid}-{State.count}", pid, place(), where, *watch.descriptor_of(dbapi))
    if engine is not None and State.made.get((where, str(engine.url)), 0) >= MANY:
        many(engine, where)


def many(engine: Any, where: str) -> None:
    """Report engines for one database that were made at one line and hold connections."""
    url = str(engine.url)
    alike = [each for each, place in list(State.engines.items()) if place == where and str(each.url) == url]
    keeping = sum(bool(getattr(getattr(each.pool, "_pool", None), "queue", None)) for each in alike)
    if keeping >= IDLE:
        report("engines", place=where, count=State.made[where, url], keeping=keeping)


def checkout(original: Any) -> Any:
    """A checkout with a look at what was checked out, after listeners of the program had theirs."""

    @functools.wraps(original)
    def function(*arguments: Any, **options: Any) -> Any:
        proxy = original(*arguments, **options)
        try:
            record = proxy._connection_record
            State.threads[id(record)] = get_ident()
            if getpid() != State.alone:
                taken(record)
        except Exception:
            pass
        return proxy

    return staticmethod(function)


def taken(record: Any) -> None:
    """A connection was checked out, which may be another process's."""
    opened = State.opened.get(record)
    if opened is None:
        return
    if opened.descriptor >= 0 and inode_of(opened.descriptor) != opened.inode:
        report("replaced", connection=opened.name, opened=opened.place, place=place())
    elif opened.pid != os.getpid():
        use(opened, record)


def use(opened: Opened, record: Any, held: bool = False) -> None:
    report(
        "used",
        connection=opened.name,
        inode=opened.inode,
        opener=opened.pid,
        opened=opened.place,
        engine=opened.engine,
        name=called(record),
        held=held,
        place=place(),
    )


def called(record: Any) -> str:
    """The name of a connection's engine; empty if it is not known. Searched once for each place."""
    if State.reported.get(("used", place())):
        return ""
    engine = engine_of(record)
    return frames.name_of(engine) if engine is not None else ""


def returned(pool: Any, record: Any) -> None:
    """A connection was checked in, which may be another process's."""
    if getpid() == State.alone:
        return
    again = poolstart_processes.drawn()
    if State.forked and not State.served:
        State.served = True
        report("served")
    opened = State.opened.get(record)
    if opened is not None:
        opened.out = False
    if opened is not None and opened.pid != os.getpid():
        report(
            "returned",
            connection=opened.name,
            opener=opened.pid,
            opened=opened.place,
            transaction=opened.transaction,
            place=place(),
        )
        opened.transaction = False
    if not again and all(each.left or each.pid == os.getpid() for each in list(State.opened.values())):
        watch.examine(os.getpid())


def close(dbapi: Any, record: Any) -> None:
    State.threads.pop(id(record), None)
    opened = State.opened.get(record)
    if opened is not None and opened.pid != os.getpid():
        if opened.descriptor >= 0 and inode_of(opened.descriptor) != opened.inode:
            return
        report("closed", connection=opened.name, opener=opened.pid, opened=opened.place, place=place())

"""Events of SQLAlchemy's pools and engines."""

from __future__ import annotations

import os
import sys
from _thread import get_ident

import poolstart_engines
import poolstart_frames as frames
import poolstart_processes
import poolstart_watch as watch
from poolstart_frames import place
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

MESSAGES = (
    ("terminating connection due to idle", "idle_cut"),
    ("server closed the connection unexpectedly", "cut"),
    ("SSL connection has been closed unexpectedly", "cut"),
    ("SSL SYSCALL error: EOF detected", "cut"),
    ("too many clients already", "max_connections"),
    ("remaining connection slots are reserved", "max_connections"),
    ("pg_type_typname_nsp_index", "startup_race"),
    ("pg_class_relname_nsp_index", "startup_race"),
    ("pg_namespace_nspname_index", "startup_race"),
    ('prepared statement "_pg3_', "pooler_session"),
    ('prepared statement "__asyncpg_', "pooler_session_asyncpg"),
)
"""Parts of error messages, and the kind that is reported. Nothing else of the message is reported."""


def install() -> None:
    watch.when_imported("sqlalchemy", listen)


def listen(module: Any) -> None:
    if tuple(map(int, module.__version__.split(".")[:2])) < OLDEST:
        return
    watch.prepare()
    safely = watch._safely
    safely(poolstart_engines.listen)()
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import Pool

    for name, hook in (("connect", connect), ("checkout", checkout), ("checkin", checkin), ("close", close)):
        event.listen(Pool, name, safely(hook))
    event.listen(Engine, "handle_error", safely(failed))
    dispose = Engine.dispose

    def __new__(cls: Any, *arguments: Any, **options: Any) -> Any:
        # Not __init__: create_engine() reads the names of its arguments.
        engine = object.__new__(cls)
        safely(made)(engine, *arguments)
        return engine

    def disposed(self: Any, *arguments: Any, **options: Any) -> Any:
        result = dispose(self, *arguments, **options)
        safely(treated)(self)
        return result

    Engine.__new__ = staticmethod(__new__)  # type: ignore[method-assign]
    Engine.dispose = disposed  # type: ignore[method-assign]
    refuse: Any = sys.modules["sqlalchemy.exc"].InvalidRequestError
    refused = refuse.__init__

    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        if options.get("code") == "isce":
            safely(threads)()
        refused(self, *arguments, **options)

    refuse.__init__ = __init__


def follow() -> None:
    """In a worker whose parent had connections checked out: these can be used without a checkout."""
    if any(opened.out for opened in list((State.opened or {}).values())):
        watch_executions()


def watch_executions() -> None:
    if State.executing:
        return
    State.executing = True
    connection = sys.modules["sqlalchemy.engine"].Connection
    original = connection._execute_context
    hook = watch._safely(executing)

    def _execute_context(self: Any, *arguments: Any, **options: Any) -> Any:
        hook(self)
        return original(self, *arguments, **options)

    connection._execute_context = _execute_context


def executing(connection: Any) -> None:
    proxied = connection._dbapi_connection
    record = getattr(proxied, "_connection_record", None)
    opened = State.opened.get(record) if record is not None else None
    if opened is not None and (opened.out or opened.unsure) and opened.pid != os.getpid():
        held, opened.out, opened.unsure = opened.out, False, False
        use(opened, record, held)


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


def treated(engine: Any) -> None:
    report("disposed", engine=State.engines.get(engine, ""), place=place())
    if State.forked:
        poolstart_engines.left()


def engine_of(record: Any) -> Any:
    """The engine of a connection; None if it is not known."""
    pool = getattr(record, "_ConnectionRecord__pool", None)
    return next((each for each in list(State.engines) if getattr(each, "pool", None) is pool), None)


def connect(dbapi: Any, record: Any) -> None:
    engine = engine_of(record)
    if engine is not None and engine.dialect.name == "sqlite":
        # A database in memory is copied by a fork, and each process has its own.
        return
    State.count += 1
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


def checkout(dbapi: Any, record: Any, proxy: Any) -> None:
    opened = State.opened.get(record)
    if opened is None:
        return
    if opened.descriptor >= 0 and inode_of(opened.descriptor) != opened.inode:
        report("replaced", connection=opened.name, opened=opened.place, place=place())
    elif opened.pid == os.getpid():
        opened.out, opened.thread = True, get_ident()
    elif refusable(record):
        opened.unsure = True
        watch_executions()
    else:
        use(opened, record)


def refusable(record: Any) -> bool:
    """Whether the program has a listener, which may refuse connections of other processes."""
    pool: Any = getattr(record, "_ConnectionRecord__pool", None)
    return any(getattr(each, "__code__", None) is not watch.HOOKED for each in pool.dispatch.checkout)


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


def checkin(dbapi: Any, record: Any) -> None:
    poolstart_processes.drawn()
    if State.forked and not State.served:
        State.served = True
        report("served")
    opened = State.opened.get(record)
    if opened is not None:
        opened.out = False
    if opened is not None and opened.pid != os.getpid():
        if opened.unsure and dbapi is not None:
            opened.unsure = False
            use(opened, record)
        report(
            "returned",
            connection=opened.name,
            opener=opened.pid,
            opened=opened.place,
            transaction=opened.transaction,
            place=place(),
        )
        opened.transaction = False


def close(dbapi: Any, record: Any) -> None:
    opened = State.opened.get(record)
    if opened is not None and opened.pid != os.getpid():
        if opened.descriptor >= 0 and inode_of(opened.descriptor) != opened.inode:
            return
        report("closed", connection=opened.name, opener=opened.pid, opened=opened.place, place=place())


def failed(context: Any) -> None:
    """Report the kind of a driver's error, and whether this process opened the connection."""
    if getattr(context, "is_pre_ping", False):
        # It replaces the connection.
        return
    message = str(context.original_exception)
    kind = next((kind for part, kind in MESSAGES if part in message), "")
    if kind:
        proxied = getattr(context.connection, "_dbapi_connection", None)
        opened = State.opened.get(getattr(proxied, "_connection_record", None)) if proxied else None
        own = opened is None or opened.pid == os.getpid()
        where, inode = (opened.place, opened.inode) if opened else ("", -1)
        report("error", kind=kind, own=own, opened=where, place=place(), inode=inode)


def threads() -> None:
    report("error", kind="shared_by_threads", own=True, place=place())

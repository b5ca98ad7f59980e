"""What drivers, psycopg_pool and multiprocessing do without SQLAlchemy."""

from __future__ import annotations

import functools
import os
import sys

import poolstart_watch as watch
from poolstart_watch import State, place, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONNECTS = 3
"""The first ones in a forked process that are reported before they are made: they may never return."""


class Count:
    pid = 0
    connects = 0
    pools: Any = None
    """By pool of psycopg_pool: the process that opened it, and where; weakly."""


def install() -> None:
    watch.when_imported("psycopg2", psycopg2)
    watch.when_imported("psycopg", psycopg)
    watch.when_imported("psycopg_pool.pool", pool("ConnectionPool"))
    watch.when_imported("psycopg_pool.pool_async", pool("AsyncConnectionPool"))
    watch.when_imported("multiprocessing.process", processes)


def psycopg2(module: Any) -> None:
    watch.prepare()
    original = module.connect

    @functools.wraps(original)
    def connect(*arguments: Any, **options: Any) -> Any:
        announced = beginning()
        connection = original(*arguments, **options)
        opened(connection, "psycopg2", announced)
        return connection

    module.connect = connect


def psycopg(module: Any) -> None:
    watch.prepare()
    original = module.Connection.connect.__func__

    @functools.wraps(original)
    def connect(cls: Any, *arguments: Any, **options: Any) -> Any:
        announced = beginning()
        connection = original(cls, *arguments, **options)
        opened(connection, "psycopg", announced)
        return connection

    module.Connection.connect = classmethod(connect)
    module.connect = module.Connection.connect


def beginning() -> bool:
    """A forked process begins to connect. Whether it has been reported."""
    try:
        if Count.pid != os.getpid():
            Count.pid, Count.connects = os.getpid(), 0
        Count.connects += 1
        if State.forked and Count.connects <= CONNECTS:
            report("connecting", place=place())
            return True
    except Exception:
        pass
    return False


def opened(connection: Any, library: str, announced: bool) -> None:
    try:
        if announced:
            report("connected", place=place())
        by = "psycopg_pool" if within("psycopg_pool") else library
        State.raw[connection] = (os.getpid(), place(), by, watch.inode_of(connection.fileno()))
    except Exception:
        pass


def within(name: str) -> bool:
    frame: Any = sys._getframe()
    while frame is not None:
        if f"{name}{os.sep}" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def pool(name: str) -> Any:
    """A hook for a class of psycopg_pool: who opens a pool, and who takes connections of it."""

    def hook(module: Any) -> None:
        import weakref

        watch.prepare()
        if Count.pools is None:
            Count.pools = weakref.WeakKeyDictionary()
        found = getattr(module, name)
        open_, getconn = found.open, found.getconn

        # Neither waits for the original: those of the asynchronous pool return coroutines.
        @functools.wraps(open_)
        def opening(self: Any, *arguments: Any, **options: Any) -> Any:
            watch._safely(Count.pools.__setitem__)(self, (os.getpid(), watch._safe_place()))
            return open_(self, *arguments, **options)

        @functools.wraps(getconn)
        def taking(self: Any, *arguments: Any, **options: Any) -> Any:
            watch._safely(taken)(self)
            return getconn(self, *arguments, **options)

        found.open, found.getconn = opening, taking

    return hook


def taken(pool: Any) -> None:
    opener, where = Count.pools.get(pool, (os.getpid(), ""))
    if opener != os.getpid():
        report("pool_used", opener=opener, opened=where, place=place())


def processes(module: Any) -> None:
    """`multiprocessing`: a worker that is started while a connection is in a transaction."""
    original = module.BaseProcess.start

    @functools.wraps(original)
    def start(self: Any) -> Any:
        watch._safely(starting)()
        return original(self)

    module.BaseProcess.start = start


def starting() -> None:
    if State.json is None:
        return
    busy = [connection for connection in watch.connections() if connection["transaction"]]
    if busy:
        report("started", place=place(), opened=busy[0]["opened"])

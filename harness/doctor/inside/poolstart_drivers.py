"""Hooks for connections that drivers and psycopg_pool open without SQLAlchemy."""

from __future__ import annotations

import functools
import os

import poolstart_frames as frames
import poolstart_watch as watch
from poolstart_frames import place
from poolstart_hooks import before, safely, when_imported
from poolstart_watch import State, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONNECTS = 3
"""How many connects of a forked process are reported before they are made, since they may never return."""


class Count:
    pid = 0
    connects = 0
    pools: Any = None
    """By pool of psycopg_pool, in a weak dictionary: the process that opened it, and where."""


def install() -> None:
    when_imported("psycopg2", psycopg2)
    when_imported("psycopg", psycopg)
    when_imported("psycopg_pool.pool", pool("ConnectionPool"))
    when_imported("psycopg_pool.pool_async", pool("AsyncConnectionPool"))


def psycopg2(module: Any) -> None:
    module.connect = observed(module.connect, "psycopg2")


def psycopg(module: Any) -> None:
    module.Connection.connect = classmethod(observed(module.Connection.connect.__func__, "psycopg"))
    module.connect = module.Connection.connect


def observed(original: Any, library: str) -> Any:
    """A function that connects, with reports."""
    watch.prepare()

    @functools.wraps(original)
    def connect(*arguments: Any, **options: Any) -> Any:
        announced = beginning()
        connection = original(*arguments, **options)
        opened(connection, library, announced)
        return connection

    return connect


def beginning() -> bool:
    """Report that a forked process begins to connect. Returns whether it was reported."""
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
        by = "psycopg_pool" if frames.within("psycopg_pool") else library
        State.raw[connection] = (os.getpid(), place(), by, watch.inode_of(connection.fileno()))
    except Exception:
        pass


def pool(name: str) -> Any:
    """A hook that records which process opens a pool of psycopg_pool, and which ones take connections."""

    def hook(module: Any) -> None:
        import weakref

        watch.prepare()
        if Count.pools is None:
            Count.pools = weakref.WeakKeyDictionary()
        found = getattr(module, name)
        made = found.__init__

        @functools.wraps(made)
        def making(self: Any, *arguments: Any, **options: Any) -> None:
            made(self, *arguments, **options)
            # By default it is open then.
            if not self.closed:
                safely(opens)(self)

        found.__init__ = making
        before(found, "open", opens)
        before(found, "getconn", taken)

    return hook


def opens(pool: Any, *_: Any, **__: Any) -> None:
    Count.pools[pool] = (os.getpid(), place())
    if State.forked:
        report("pool_opened", place=place())


def taken(pool: Any, *_: Any, **__: Any) -> None:
    opener, where = Count.pools.get(pool, (os.getpid(), ""))
    if opener != os.getpid():
        report("pool_used", opener=opener, opened=where, name=frames.name_of(pool), place=place())

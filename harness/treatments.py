"""What strategies do about the pool: the lines that a program would contain, as in the documentation.

A worker that does not inherit its parent's modules imports the function that it receives, and so this module:
it imports nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy.engine import Engine


def keep(engine: Engine) -> Engine:
    """Use the inherited engine unchanged."""
    return engine


def leave_alone(engine: Engine) -> None:
    """Do nothing in the parent before a worker starts."""


def dispose_without_closing(engine: Engine) -> Engine:
    """Drop the inherited connections without closing them, because they belong to the parent."""
    engine.dispose(close=False)
    return engine


def create(url: str) -> Engine:
    """Create an engine in the worker."""
    from sqlalchemy import create_engine

    return create_engine(url)


def create_without_pool(url: str) -> Engine:
    """Create an engine in the worker that connects at each checkout."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    return create_engine(url, poolclass=NullPool)


def dispose(engine: Engine) -> Engine:
    """Close the inherited connections, although they belong to the parent."""
    engine.dispose()
    return engine


def dispose_before(engine: Engine) -> None:
    """In the parent, right before the worker starts: close the connections that it would inherit."""
    engine.dispose()


def dispose_in_every_child(engine: Engine) -> None:
    """In the parent, once: every forked child first drops the inherited connections."""
    import os

    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))


def sever_in_every_child(engine: Engine) -> None:
    """In the parent, once: in every forked child, inherited sockets are replaced by dead ones.

    An inherited connection that is used all the same fails there with an error, and nothing reaches its
    server: the parent keeps its session and its transaction. No socket of the parent stays open in the child.
    Raises TypeError at the first connection of a driver whose sockets are not known.
    """
    import contextlib
    import os
    import socket
    import weakref

    from sqlalchemy import event

    def descriptor(connection: Any) -> int:
        # What SQLAlchemy's adapter of an asynchronous driver wraps, or the connection itself.
        driver = getattr(connection, "_connection", connection)
        if hasattr(driver, "fileno"):  # with libpq
            return int(driver.fileno())
        if hasattr(driver, "_transport"):  # asyncpg
            return int(driver._transport.get_extra_info("socket").fileno())
        if hasattr(driver, "_usock"):  # pg8000
            return int(driver._usock.fileno())
        raise TypeError(f"the socket of a {type(driver).__module__} connection is not known")

    records: weakref.WeakSet[Any] = weakref.WeakSet()

    @event.listens_for(engine, "connect")
    def connect(dbapi_connection: Any, connection_record: Any) -> None:
        if engine.dialect.name != "sqlite":  # It has files, and no socket.
            descriptor(dbapi_connection)
            records.add(connection_record)

    def sever() -> None:
        dead, other = socket.socketpair()
        other.close()
        for record in records:
            # A connection that is closed has no socket.
            with contextlib.suppress(Exception):
                os.dup2(dead.fileno(), descriptor(record.dbapi_connection), inheritable=False)
        dead.close()
        records.clear()
        engine.dispose(close=False)

    os.register_at_fork(after_in_child=sever)


def check_pid_at_checkout(engine: Engine) -> None:
    """In the parent, once: refuse to check out a connection of another process."""
    import os

    from sqlalchemy import event, exc

    @event.listens_for(engine, "connect")
    def connect(dbapi_connection: Any, connection_record: Any) -> None:
        connection_record.info["pid"] = os.getpid()

    @event.listens_for(engine, "checkout")
    def checkout(dbapi_connection: Any, connection_record: Any, connection_proxy: Any) -> None:
        pid = os.getpid()
        if connection_record.info["pid"] != pid:
            connection_record.dbapi_connection = connection_proxy.dbapi_connection = None
            raise exc.DisconnectionError(
                f"Connection record belongs to pid {connection_record.info['pid']},"
                f" attempting to check out in pid {pid}"
            )


def take_the_url(engine: Engine, url: str) -> str:
    """Pass the URL, although the worker could use the inherited engine."""
    return url


def make_an_engine_to_inherit(engine: Engine, url: str) -> Engine:
    """In the parent: create an engine for the workers that the parent never uses."""
    from sqlalchemy import create_engine

    return create_engine(url)


def collect_no_garbage() -> None:
    """In the parent, early: free no objects in pages that workers will share."""
    import gc

    gc.disable()


def freeze(engine: Engine) -> None:
    """In the parent, right before the worker starts: exclude all existing objects from collections."""
    import gc

    gc.freeze()


def collect_then_dispose(engine: Engine) -> Engine:
    """Collect garbage of the worker's own objects, and drop the inherited connections."""
    import gc

    gc.enable()
    engine.dispose(close=False)
    return engine


def collect_then_create(url: str) -> Engine:
    """Collect garbage of the worker's own objects, and create an engine in the worker."""
    import gc

    from sqlalchemy import create_engine

    gc.enable()
    return create_engine(url)

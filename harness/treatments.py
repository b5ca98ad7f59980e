"""What becomes of the pool: the lines that a program would contain, as the documentation has them.

A module of its own, because a worker that does not inherit its parent's modules imports the function it is
handed, and what comes with it: nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy.engine import Engine


def keep(engine: Engine) -> Engine:
    """Use what was inherited as it is."""
    return engine


def leave_alone(engine: Engine) -> None:
    """Nothing is done in the parent before a worker starts."""


def dispose_without_closing(engine: Engine) -> Engine:
    """Forget the inherited connections without closing them: they are the parent's."""
    engine.dispose(close=False)
    return engine


def create(url: str) -> Engine:
    """Make an engine of the worker's own."""
    from sqlalchemy import create_engine

    return create_engine(url)


def create_without_pool(url: str) -> Engine:
    """Make an engine of the worker's own, which connects at each checkout."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    return create_engine(url, poolclass=NullPool)


def dispose(engine: Engine) -> Engine:
    """Close the inherited connections, which are the parent's."""
    engine.dispose()
    return engine


def dispose_before(engine: Engine) -> None:
    """In the parent, directly before the worker starts: close what it would inherit."""
    engine.dispose()


def dispose_in_every_child(engine: Engine) -> None:
    """In the parent, once: whoever forks, the child first forgets the inherited connections."""
    import os

    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))


def check_pid_at_checkout(engine: Engine) -> None:
    """In the parent, once: a connection made by another process is never given out."""
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
    """Hand over the URL, though the parent's engine would be inherited too."""
    return url


def make_an_engine_to_inherit(engine: Engine, url: str) -> Engine:
    """In the parent: an engine for the workers, which the parent itself never uses."""
    from sqlalchemy import create_engine

    return create_engine(url)


def collect_no_garbage() -> None:
    """In the parent, early: leave no freed holes in pages that workers will share."""
    import gc

    gc.disable()


def freeze(engine: Engine) -> None:
    """In the parent, right before the worker starts: nothing that exists is collected ever again."""
    import gc

    gc.freeze()


def collect_then_dispose(engine: Engine) -> Engine:
    """Collect what the worker itself makes, and forget the inherited connections."""
    import gc

    gc.enable()
    engine.dispose(close=False)
    return engine


def collect_then_create(url: str) -> Engine:
    """Collect what the worker itself makes, and make an engine of its own."""
    import gc

    from sqlalchemy import create_engine

    gc.enable()
    return create_engine(url)

"""What becomes of the pool: the lines that a program would contain, as SQLAlchemy's documentation has them.

A module of its own, because a worker that does not inherit its parent's modules imports the function it is
handed, and what comes with it: nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
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

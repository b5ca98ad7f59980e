"""What strategies do about the pool of an `AsyncEngine`: the lines that a program would contain.

The functions have the names of those in `harness.treatments`. The module imports nothing, because a worker
imports it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy.ext.asyncio import AsyncEngine

KEPT: list[Any] = []
"""Inherited pools. If the garbage collector took one, asyncpg would end the session of its connection, which
is the parent's, and take its socket out of the event loop that parent and worker share."""


def keep(engine: AsyncEngine) -> AsyncEngine:
    """Use the inherited engine unchanged."""
    return engine


def dispose_without_closing(engine: AsyncEngine) -> AsyncEngine:
    """Drop the inherited connections, which belong to the parent, without closing or collecting them."""
    KEPT.append(engine.sync_engine.pool)
    engine.sync_engine.dispose(close=False)
    return engine


def create(url: str) -> AsyncEngine:
    """Create an engine in the worker."""
    from sqlalchemy.ext.asyncio import create_async_engine

    return create_async_engine(url)

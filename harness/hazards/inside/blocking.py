"""An AsyncEngine for reproductions that are written for a synchronous engine.

Each call runs in an event loop, which is stopped between calls. So workers are started while no loop runs, as
in a program that calls `asyncio.run` or uses an `asyncio.Runner`, and starts workers at other times.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy.util.concurrency import greenlet_spawn


class EventLoop:
    """Runs functions that use the synchronous side of an AsyncEngine, as `AsyncConnection.run_sync` does."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def run(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call the function in the loop and return its result, connections and transactions as `Blocking`."""
        result = self._runner.run(greenlet_spawn(function, *args, **options))
        return Blocking(result, self) if hasattr(result, "__enter__") else result


class Blocking:
    """An engine, connection or transaction whose methods run in the event loop."""

    def __init__(self, wrapped: Any, loop: EventLoop, asynchronous: Any = None) -> None:
        self.synchronous = wrapped
        """The engine, connection or transaction, for code that runs in an event loop."""
        self._loop = loop
        self.asynchronous = asynchronous
        """For an engine: the AsyncEngine, which a worker inherits."""

    def run(self, function: Callable[[], Any]) -> Any:
        """Call the function in the event loop and return its result."""
        return self._loop.run(function)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.synchronous, name)
        if not callable(value):
            return value
        return lambda *args, **options: self._loop.run(value, *args, **options)

    def __enter__(self) -> Any:
        return self._loop.run(self.synchronous.__enter__)

    def __exit__(self, *error: object) -> Any:
        return self._loop.run(self.synchronous.__exit__, *error)

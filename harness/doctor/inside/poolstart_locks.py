"""Locks that another thread holds at a fork, and whether the worker waits for its copy of one."""

from __future__ import annotations

import _thread
import builtins
import sys

from poolstart_frames import safe_place
from poolstart_hooks import safely
from poolstart_watch import State, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Held:
    """What was held at the latest fork, in parent and worker."""

    pools: list[tuple[Any, str]] = []  # noqa: RUF012
    """Pools, and how they are named."""
    modules: set[str] = set()  # noqa: RUF012


def held() -> list[str]:
    """The locks that another thread holds: of pools, and of modules that are being imported."""
    Held.pools, Held.modules = [], set()
    for engine, where in list((State.engines or {}).items()):
        mutex = getattr(getattr(engine.pool, "_pool", None), "mutex", None)
        text = repr(mutex)
        if text.startswith("<locked") and f"owner={_thread.get_ident()} " not in text:
            Held.pools.append((engine.pool, f"the lock of the pool of the engine made at {where}"))
    for name, weak in list(getattr(sys.modules.get("_frozen_importlib"), "_module_locks", {}).items()):
        owner = getattr(weak(), "owner", None)
        if owner and owner != _thread.get_ident():
            Held.modules.add(name)
    return [*(name for _, name in Held.pools), *(f"the import of {name}" for name in sorted(Held.modules))]


def follow() -> None:
    """In the worker: report its first use of what a copied lock guards, since that may never return."""
    for pool, name in Held.pools:
        pool.connect = announced(pool.connect, name, lambda pool=pool: pool.__dict__.pop("connect", None))
    if Held.modules:
        original = builtins.__import__

        def __import__(name: str, *arguments: Any, **options: Any) -> Any:
            locks = [each for each in Held.modules if each.partition(".")[0] == name.partition(".")[0]]
            if not locks:
                return original(name, *arguments, **options)
            call = announced(
                original, f"the import of {locks[0]}", lambda: Held.modules.difference_update(locks)
            )
            return call(name, *arguments, **options)

        module: Any = builtins
        module.__import__ = __import__


def announced(function: Any, lock: str, done: Any) -> Any:
    """The function, with reports before and after the call; then `done` is called."""

    def call(*arguments: Any, **options: Any) -> Any:
        safely(report)("entering", lock=lock, place=safe_place())
        try:
            return function(*arguments, **options)
        finally:
            safely(report)("entered", lock=lock, place=safe_place())
            done()

    return call

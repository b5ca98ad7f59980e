"""The counted worker: the measured one's life, with somebody looking on.

It does what `harness.inside.lifecycle.worker.work` does, by the same functions. Everything is taken in one
life, except what would disturb the rest of it: counting calls has a life of its own.
"""

from __future__ import annotations

import gc
import os
import sys
import time

from harness.inside.lifecycle import worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

    from sqlalchemy.engine import Engine

Calls = list[tuple[str, str, int]]
"""Module, qualified name, how often."""


def work(in_worker: Callable[[Any], Engine], handed: Any, channel: Any, token: str) -> None:
    """Moments and collections at the first line, after the first row and after the second.

    What the process then holds of modules is looked at last.
    """
    seen = [look()]
    engine = in_worker(handed)
    first = worker.fetch(engine, token)
    seen.append(look())
    second = worker.fetch(engine, token)
    seen.append(look())
    from harness.inside.exact.code import sizes

    tell(channel, first, second, seen=seen, code=sizes())


def work_counting_calls(in_worker: Callable[[Any], Engine], handed: Any, channel: Any, token: str) -> None:
    """Calls of Python functions until the first row, and from there until the second.

    The garbage collector is off, so that no collection's finalizers are among them.
    """
    gc.disable()
    calls = Counter()
    sys.setprofile(calls)
    engine = in_worker(handed)
    first = worker.fetch(engine, token)
    sys.setprofile(None)
    until_first = calls.counted()
    sys.setprofile(calls)
    second = worker.fetch(engine, token)
    sys.setprofile(None)
    tell(channel, first, second, calls=[until_first, calls.counted()])


def look() -> tuple[int, list[int]]:
    """The moment, and the collections so far by generation."""
    return time.monotonic_ns(), worker.collections()


def tell(channel: Any, *rows: tuple[str, int], **seen: Any) -> None:
    channel.send({"rows": rows, "pid": os.getpid(), "ppid": os.getppid(), "mark": worker.mark, **seen})
    channel.recv()


class Counter:
    """A profile function that counts the calls of each Python function."""

    def __init__(self) -> None:
        self._counts: dict[CodeType, list[Any]] = {}

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            seen = self._counts.get(frame.f_code)
            if seen is None:
                self._counts[frame.f_code] = [frame.f_globals.get("__name__", ""), 1]
            else:
                seen[1] += 1

    def counted(self) -> Calls:
        """What was counted since the last time."""
        counts, self._counts = self._counts, {}
        return [(module, code.co_qualname, number) for code, (module, number) in counts.items()]

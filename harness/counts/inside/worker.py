"""The counted worker: the measured one's life, with somebody looking on.

It does what `harness.lifecycles.inside.worker.work` does, by the same functions. Everything is taken in one
life, except what would disturb the rest of it: counting calls has a life of its own.
"""

from __future__ import annotations

import gc

# A known state of the collector, before SQLAlchemy is imported: what an interpreter has allocated until
# then depends on how it was built.
gc.collect()
BEGUN = [generation["collections"] for generation in gc.get_stats()]
"""The collections of this process until then, by generation; of a forked worker its parent's."""

import os  # noqa: E402
import time  # noqa: E402

from harness.counts.inside.calls import Counter  # noqa: E402
from harness.lifecycles.inside import worker  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy.engine import Engine


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
    from harness.counts.inside.code import sizes

    tell(channel, first, second, begun=BEGUN, seen=seen, code=sizes())


def work_counting_calls(in_worker: Callable[[Any], Engine], handed: Any, channel: Any, token: str) -> None:
    """Calls of Python functions until the first row, and from there until the second.

    The garbage collector is off, so that no collection's finalizers are among them.
    """
    gc.disable()
    counter = Counter()
    counter.start()
    engine = in_worker(handed)
    first = worker.fetch(engine, token)
    calls = [counter.stop()]
    counter.start()
    second = worker.fetch(engine, token)
    calls.append(counter.stop())
    tell(channel, first, second, calls=calls)


def look() -> tuple[int, list[int]]:
    """The moment, and the collections so far by generation."""
    return time.monotonic_ns(), worker.collections()


def tell(channel: Any, *rows: tuple[str, int], **seen: Any) -> None:
    channel.send({"rows": rows, "pid": os.getpid(), "ppid": os.getppid(), "mark": worker.mark, **seen})
    channel.recv()

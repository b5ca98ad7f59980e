"""The instrumented worker: the same steps as the measured one, observed.

It does what `harness.lifecycles.inside.worker.work` does, by the same functions. Calls are counted by a probe
of their own, because counting them would disturb the other readings.
"""

from __future__ import annotations

import gc

# A known state of the collector before SQLAlchemy is imported: how much an interpreter has allocated by then
# depends on its build.
gc.collect()
AT_START = [generation["collections"] for generation in gc.get_stats()]
"""The collections of this process so far, by generation; in a forked worker those of its parent."""

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
    """Report time and collections at the first line, after the first row and after the second.

    The modules that are loaded by then are read last.
    """
    readings = [read()]
    engine = in_worker(handed)
    first = worker.fetch(engine, token)
    readings.append(read())
    second = worker.fetch(engine, token)
    readings.append(read())
    from harness.counts.inside.code import sizes

    report(channel, first, second, at_start=AT_START, readings=readings, code=sizes())


def work_counting_calls(in_worker: Callable[[Any], Engine], handed: Any, channel: Any, token: str) -> None:
    """Report the calls of Python functions until the first row, and from there to the second.

    The garbage collector is off, so that no finalizers are among them.
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
    report(channel, first, second, calls=calls)


def read() -> tuple[int, list[int]]:
    """The monotonic time in nanoseconds, and the collections so far by generation."""
    return time.monotonic_ns(), worker.collections()


def report(channel: Any, *rows: tuple[str, int], **readings: Any) -> None:
    """Send the rows and readings to the parent, and wait for the message to exit."""
    channel.send({"rows": rows, "pid": os.getpid(), "ppid": os.getppid(), "mark": worker.mark, **readings})
    channel.recv()

"""The instrumented worker of an asynchronous driver: `harness.counts.inside.worker` in an event loop."""

from __future__ import annotations

import asyncio
import gc

from harness.counts.inside import worker as probes
from harness.counts.inside.calls import Counter
from harness.lifecycles.inside.async_worker import fetch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy.ext.asyncio import AsyncEngine


def work(in_worker: Callable[[Any], AsyncEngine], handed: Any, channel: Any, token: str) -> None:
    """Report what `harness.counts.inside.worker.work` does."""

    async def observed() -> None:
        engine = in_worker(handed)
        first = await fetch(engine, token)
        readings.append(probes.read())
        second = await fetch(engine, token)
        readings.append(probes.read())
        from harness.counts.inside.code import sizes

        probes.report(channel, first, second, at_start=probes.AT_START, readings=readings, code=sizes())

    readings = [probes.read()]
    asyncio.run(observed())


def work_counting_calls(
    in_worker: Callable[[Any], AsyncEngine], handed: Any, channel: Any, token: str
) -> None:
    """Report the calls of Python functions until the first row, and from there to the second."""

    async def counted() -> None:
        engine = in_worker(handed)
        first = await fetch(engine, token)
        calls = [counter.stop()]
        counter.start()
        second = await fetch(engine, token)
        calls.append(counter.stop())
        probes.report(channel, first, second, calls=calls)

    gc.disable()
    counter = Counter()
    counter.start()
    asyncio.run(counted())

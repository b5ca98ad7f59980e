"""The probe that traces its allocations: what is held after the second row, and by which module.

A worker that imports SQLAlchemy traces the imports too, a forked one only its own allocations.
"""

from __future__ import annotations

import gc
import tracemalloc

tracemalloc.start()

import sys  # noqa: E402

from harness.counts.inside.worker import report  # noqa: E402
from harness.lifecycles.inside import worker  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy.engine import Engine


def work(in_worker: Callable[[Any], Engine], handed: Any, channel: Any, token: str) -> None:
    """Report bytes by the module of the line that allocated them."""
    if worker.mark:
        tracemalloc.clear_traces()
    engine = in_worker(handed)
    rows = worker.fetch(engine, token), worker.fetch(engine, token)
    # Garbage that has not been collected yet is not held.
    gc.collect()
    held = {
        statistic.traceback[0].filename: statistic.size
        for statistic in tracemalloc.take_snapshot().statistics("filename")
    }
    names = {getattr(module, "__file__", None): name for name, module in list(sys.modules.items())}
    report(channel, *rows, held=[(names.get(file, file), size) for file, size in held.items()])

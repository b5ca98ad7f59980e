"""The counted worker, with its allocations traced: who holds what after the second row.

In a worker that imports SQLAlchemy the imports are traced too; in a forked one, only what itself allocates.
"""

from __future__ import annotations

import gc
import tracemalloc

tracemalloc.start()

import sys  # noqa: E402

from harness.counts.inside.worker import tell  # noqa: E402
from harness.lifecycles.inside import worker  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy.engine import Engine


def work(in_worker: Callable[[Any], Engine], handed: Any, channel: Any, token: str) -> None:
    """Bytes by the file of the line that asked for them."""
    if worker.mark:
        tracemalloc.clear_traces()
    engine = in_worker(handed)
    rows = worker.fetch(engine, token), worker.fetch(engine, token)
    # What only waits to be collected is held by nobody.
    gc.collect()
    held = {
        each.traceback[0].filename: each.size for each in tracemalloc.take_snapshot().statistics("filename")
    }
    names = {getattr(module, "__file__", None): name for name, module in list(sys.modules.items())}
    tell(channel, *rows, held=[(names.get(file, file), size) for file, size in held.items()])

"""The probe that counts the calls of its imports: SQLAlchemy's and those that they cause.

Forked workers import nothing, so there is none of them.
"""

from __future__ import annotations

import gc

from harness.counts.inside.calls import Counter

gc.disable()
counter = Counter()
counter.start()

from harness.counts.inside.worker import report  # noqa: E402
from harness.lifecycles.inside import worker  # noqa: E402

calls = counter.stop()
gc.enable()

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy.engine import Engine


def work(in_worker: Callable[[Any], Engine], handed: Any, channel: Any, token: str) -> None:
    engine = in_worker(handed)
    report(channel, worker.fetch(engine, token), worker.fetch(engine, token), import_calls=calls)

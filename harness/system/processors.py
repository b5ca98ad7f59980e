"""The processor on which measured processes run, and the others, on which everything else runs.

Worker and server take turns, so one processor is enough for both, and neither migrates between caches. On two
cores, one of them busy with other work, figures of a forked worker repeat within 5 % this way, but only
within 50 % if the kernel chooses the processors. With a single processor, or without affinity, nothing is
pinned.
"""

import contextlib
import os
from collections.abc import Iterator

ALL = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset({0})
"""The processors that this program may use."""

MEASURED: int | None = max(ALL) if len(ALL) > 1 else None
"""The processor of measured processes and of the embedded server; None if nothing is pinned."""


def pin(pid: int) -> None:
    """Restrict a process, and those that it starts later, to the measured processor."""
    if MEASURED is not None:
        os.sched_setaffinity(pid, {MEASURED})


@contextlib.contextmanager
def off_measured_cpu() -> Iterator[None]:
    """A context in which this process does not run on the measured processor."""
    if MEASURED is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, (before - {MEASURED}) or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)

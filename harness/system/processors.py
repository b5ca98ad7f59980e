"""Which processor is measured on, and which ones everything else has.

A worker and its server answer one another in turn: one processor is enough for both, and neither is thrown
about between caches. On two cores, one of them busy with something else, figures of a forked worker repeat
within 5 % this way, and within 50 % where the kernel chooses. Where there is but one processor, or the system
knows no affinity, nothing is pinned.
"""

import contextlib
import os
from collections.abc import Iterator

ALL = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset({0})
"""What this program was given to use."""

MEASURED: int | None = max(ALL) if len(ALL) > 1 else None
"""Where measured processes and the embedded server run."""


def pin(pid: int) -> None:
    """Let a process, and what it starts from now on, run on the measured processor alone."""
    if MEASURED is not None:
        os.sched_setaffinity(pid, {MEASURED})


@contextlib.contextmanager
def off_measured_cpu() -> Iterator[None]:
    """This process keeps away from the measured processor for as long as the context lasts."""
    if MEASURED is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, (before - {MEASURED}) or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)

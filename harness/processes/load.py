"""Load: cores kept busy by something else, to see that a verdict does not depend on a quiet machine."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from harness.processes.supervision import Supervision

BUSY = "while True: pass"

AT_RANDOM = """\
import random, time
while True:
    busy = random.randint(0, 10) / 10
    for _ in range(3):
        until = time.monotonic() + busy
        while time.monotonic() < until:
            pass
        time.sleep(1 - busy)
"""
"""Some tenths of every second, for three seconds; then another number of tenths."""


@contextmanager
def all_but_one(wanted: bool = True) -> Iterator[int]:
    """Every core but one kept busy, if wanted, for as long as the context lasts; yields how many."""
    busy = (os.cpu_count() or 1) - 1 if wanted else 0
    with Supervision() as supervision:
        for _ in range(busy):
            supervision.start([sys.executable, "-c", BUSY])
        yield busy


@contextmanager
def at_random(wanted: bool = True) -> Iterator[None]:
    """One core kept busy for random tenths of the time, if wanted, for as long as the context lasts."""
    with Supervision() as supervision:
        if wanted:
            supervision.start([sys.executable, "-c", AT_RANDOM])
        yield

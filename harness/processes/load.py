"""Artificial load, to show that a verdict or figure does not require an idle machine."""

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
"""A program that is busy for some tenths of each second; every three seconds their number is drawn again."""


@contextmanager
def all_but_one(wanted: bool = True) -> Iterator[int]:
    """A context in which, if `wanted`, all cores but one are kept busy; yields their number."""
    busy = (os.cpu_count() or 1) - 1 if wanted else 0
    with Supervision() as supervision:
        for _ in range(busy):
            supervision.start([sys.executable, "-c", BUSY])
        yield busy


@contextmanager
def at_random(wanted: bool = True) -> Iterator[None]:
    """A context in which, if `wanted`, one core is busy for a random part of the time."""
    with Supervision() as supervision:
        if wanted:
            supervision.start([sys.executable, "-c", AT_RANDOM])
        yield

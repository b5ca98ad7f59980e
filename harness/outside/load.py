"""Load: cores kept busy by something else, to see that a verdict does not depend on a quiet machine."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from harness.system.custody import Custody

BUSY = "while True: pass"


@contextmanager
def all_but_one(wanted: bool = True) -> Iterator[int]:
    """Every core but one kept busy, if wanted, for as long as the context lasts; yields how many."""
    busy = (os.cpu_count() or 1) - 1 if wanted else 0
    with Custody() as custody:
        for _ in range(busy):
            custody.start([sys.executable, "-c", BUSY])
        yield busy

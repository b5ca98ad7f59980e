"""A machine whose processors are all busy with other work."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from harness.processes import load, proc
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until


@contextmanager
def every_core_busy() -> Iterator[None]:
    """A context in which a process for each processor computes; it begins when all of them do."""
    with Supervision() as supervision:
        started = [
            supervision.start([sys.executable, "-c", load.BUSY]).pid for _ in range(os.cpu_count() or 1)
        ]

        def computing() -> bool:
            processes = [proc.stat(pid) for pid in started]
            return all(process and process.cpu_ticks > 20 for process in processes)

        assert wait_until(computing, 300, poll=0.02)
        yield

"""Tell a process that waits for ever from one that works, however slowly (Linux's `/proc`).

A process that hangs does not run: its threads have no more context switches, its clock does not tick, and
none of its threads is runnable. A slow process on a busy machine has many context switches, and one that
computes on a processor of its own has none, but its clock ticks.
"""

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path

from harness.processes import proc

RUNNABLE = re.compile(r"^State:\s+[RDTt]", re.MULTILINE)
"""In `/proc/PID/status`: the thread runs or is ready to, waits for a device, or was stopped by a signal."""


class IdleTimer:
    """Times for how long processes have been idle."""

    def __init__(self) -> None:
        self._activity = ""
        self._active_at = time.monotonic()

    def restart(self) -> None:
        """Count from now on."""
        self._active_at = time.monotonic()

    def seconds(self, pids: Iterable[int]) -> float:
        """Seconds for which none of these processes has run, as far as earlier calls have seen."""
        activity = [activity_of(pid) for pid in pids]
        now = time.monotonic()
        if "\n".join(activity) != self._activity or any(map(RUNNABLE.search, activity)):
            self._activity, self._active_at = "\n".join(activity), now
        return now - self._active_at


def activity_of(pid: int) -> str:
    """Text that changes whenever a thread of the process runs, with its `State:` lines; empty without /proc.

    A process or a thread may end meanwhile: what could be read until then is returned.
    """
    process, lines = Path(f"/proc/{pid}"), []
    try:
        if whole := proc.stat(pid):
            lines.append(str(whole.cpu_ticks))
        for thread in os.listdir(process / "task"):
            status = (process / "task" / thread / "status").read_text()
            lines += [line for line in status.splitlines() if line.startswith("State") or "ctxt_sw" in line]
    except OSError:
        pass
    return "\n".join(lines)

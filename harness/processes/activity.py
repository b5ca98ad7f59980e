"""Distinguishes a process that waits forever from one that works, however slowly (Linux's `/proc`).

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
"""The state in `/proc/PID/status` of a thread that is running or ready, waits for a device, or is stopped."""


class IdleTimer:
    """Measures for how long processes have been idle."""

    def __init__(self) -> None:
        self._activity = ""
        self._active_at = time.monotonic()

    def restart(self) -> None:
        """Start to count at this moment."""
        self._active_at = time.monotonic()

    def seconds(self, pids: Iterable[int]) -> float:
        """Seconds for which none of these processes has run, as observed by earlier calls."""
        activity = [activity_of(pid) for pid in pids]
        now = time.monotonic()
        if "\n".join(activity) != self._activity or any(map(RUNNABLE.search, activity)):
            self._activity, self._active_at = "\n".join(activity), now
        return now - self._active_at


def activity_of(pid: int) -> str:
    """Text that changes whenever a thread of the process runs, with its `State:` lines; empty without /proc.

    If the process or a thread ends meanwhile, the text has what could be read until then.
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

"""The memory of a process, as the kernel reports it.

`ru_maxrss` is not used, because a spawned child inherits its parent's maximum over `exec`; nor is a sum of
RSS, in which pages that forked processes share count once for each of them.
"""

import re
from pathlib import Path

from harness.system.errors import PoolstartError

MIB = 1024 * 1024


def read(pid: int | None = None) -> dict[str, int]:
    """The memory of this process, or of another one of the same user, in bytes (whole pages).

    `uss`: unique memory, in no other process (Private_Clean + Private_Dirty). For a forked worker these
    are the pages that it wrote to, and those that its parent has written to since: a parent that waits for
    its worker with a deadline adds 0.1 MiB.
    `pss`: proportional memory, each shared page divided by the number of processes that share it.
    `rss`: resident memory, shared pages counted in full.
    `peak`: the highest `rss` so far (VmHWM).
    `page_tables`: the kernel's page tables for all of it (VmPTE), which none of the others includes.

    Source: ``/proc/self/smaps_rollup`` and ``/proc/self/status``. Raises FileNotFoundError if the
    system does not have them.
    """
    kib: dict[str, int] = {}
    for name in ("smaps_rollup", "status"):
        with open(f"/proc/{pid or 'self'}/{name}", "rb") as file:
            for line in file:
                field, _, rest = line.partition(b":")
                if rest.endswith(b" kB\n"):
                    kib[field.decode()] = int(rest[:-3])
    return {
        "uss": (kib["Private_Clean"] + kib["Private_Dirty"]) * 1024,
        "pss": kib["Pss"] * 1024,
        "rss": kib["Rss"] * 1024,
        "peak": kib["VmHWM"] * 1024,
        "page_tables": kib["VmPTE"] * 1024,
    }


def require() -> None:
    """Raise `PoolstartError` on a system where memory cannot be read."""
    if not Path("/proc/self/smaps_rollup").exists():
        raise PoolstartError(
            "memory is read from /proc/PID/smaps_rollup, and this system has none",
            "use Linux 4.14 or later, with /proc mounted",
        )


def available() -> float:
    """Bytes that can be allocated without swapping (MemAvailable); infinite if unknown."""
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return float("inf")
    found = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    return float(found[1]) * 1024 if found else float("inf")

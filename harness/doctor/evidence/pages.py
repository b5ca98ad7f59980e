"""Inherited memory, and how much of it a process has copied: `/proc/PID/smaps_rollup`.

A page that a forked worker writes to, by a reference count or a garbage collection, moves from
`Shared_Dirty` to `Private_Dirty`, and the resident memory stays the same.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pages:
    """Memory of a process in bytes."""

    resident: int
    shared: int
    """Written pages that other processes have, too: what it has inherited."""
    own: int
    """Written pages that only it has."""


def read(pid: int) -> Pages | None:
    """None if they cannot be read. Takes 10 to 20 ms for 100 MB, for which the process cannot map memory."""
    fields = {}
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                name, _, value = line.partition(":")
                if value.endswith(" kB\n"):
                    fields[name] = int(value[:-3]) * 1024
    except OSError:
        return None
    if "Rss" not in fields:
        return None
    return Pages(fields["Rss"], fields["Shared_Dirty"], fields["Private_Dirty"])

"""Who uses a connection: its counters moved while only one of its holders ran.

A process sends only while it runs. If `bytes_sent` of a connection grew between two readings, and of all
processes that hold it only one was on a processor in between, then that one sent. Silence proves nothing.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.doctor.evidence import netlink, waits
from harness.doctor.evidence.sockets import Connection, descriptors

BUDGET = 0.05
"""The share of a processor that watching may take."""

SHORTEST = 0.001
"""Seconds between two looks, at least."""


ENDED = "ended"


@dataclass
class Use:
    """What was seen of one connection while it was watched."""

    inode: int
    moved: int = 0
    """Intervals in which something was sent."""
    by: dict[int, int] = field(default_factory=dict)
    """Intervals in which only this process can have sent, by pid."""
    waited: dict[int, int] = field(default_factory=dict)
    """Looks at which this process was in a call that reads from the connection, by pid."""
    endless: dict[int, float] = field(default_factory=dict)
    """For how many seconds a process has waited without a limit, with nothing unread, until the last look."""
    quiet: float = 0.0
    """Seconds since something was sent, at the last look; 0 if unknown."""
    counted: bool = False
    """Whether the kernel's counters could be read."""


class Runs:
    """Whether the threads of a process have run between two readings."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._files: dict[str, int] = {}

    def read(self) -> tuple[bool, str]:
        """Whether a thread is running or is ready to, and text that changes whenever one has run.

        The text is `ENDED` if the process has ended, reaped or not: it holds nothing then.
        """
        try:
            threads = os.listdir(f"/proc/{self.pid}/task")
        except OSError:
            return False, ENDED
        for gone in self._files.keys() - set(threads):
            os.close(self._files.pop(gone))
        states, parts = set(), []
        for thread in threads:
            with contextlib.suppress(OSError):
                if thread not in self._files:
                    self._files[thread] = os.open(f"/proc/{self.pid}/task/{thread}/schedstat", os.O_RDONLY)
                # The number of times that it was on a processor, and the time that it was.
                parts.append(thread + ":" + os.pread(self._files[thread], 80, 0).decode())
                states.add(_state(self.pid, thread))
        if not states - {b"Z", b"X"}:
            return False, ENDED
        return b"R" in states, " ".join(parts)

    def close(self) -> None:
        for file in self._files.values():
            os.close(file)
        self._files.clear()


def _state(pid: int, thread: str) -> bytes:
    with open(f"/proc/{pid}/task/{thread}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0]


@dataclass(frozen=True)
class _Look:
    """One reading: runs, then counters, then runs again."""

    before: Mapping[int, tuple[bool, str]]
    counters: Mapping[int, netlink.Counters | None]
    after: Mapping[int, tuple[bool, str]]


def watch(shared: Sequence[Connection], seconds: float) -> dict[int, Use]:
    """Watch connections that several processes hold; what was seen of each, by inode.

    Takes at most `BUDGET` of a processor: the more there is to read, the fewer looks there are.
    """
    uses = {connection.inode: Use(connection.inode) for connection in shared}
    runs = {pid: Runs(pid) for connection in shared for pid in connection.holders}
    since: dict[tuple[int, int], float] = {}
    until = time.monotonic() + seconds
    latest: _Look | None = None
    try:
        while shared:
            began = time.thread_time()
            look = _look(shared, runs)
            for connection in shared:
                use = uses[connection.inode]
                if latest:
                    _attribute(use, connection, latest, look)
                _waiting(use, connection, look, since)
            latest = look
            pause = max(SHORTEST, (time.thread_time() - began) / BUDGET)
            if time.monotonic() + pause > until:
                break
            time.sleep(pause)
    finally:
        for run in runs.values():
            run.close()
    return uses


def _look(shared: Iterable[Connection], runs: Mapping[int, Runs]) -> _Look:
    before = {pid: run.read() for pid, run in runs.items()}
    counters = {connection.inode: _counters(connection) for connection in shared}
    return _Look(before, counters, {pid: run.read() for pid, run in runs.items()})


def _counters(connection: Connection) -> netlink.Counters | None:
    address = connection.address
    if not address:
        return None
    with contextlib.suppress(OSError):
        return netlink.counters(address.host, address.port, address.server_host, address.server_port)
    return None


def _attribute(use: Use, connection: Connection, earlier: _Look, later: _Look) -> None:
    first, second = earlier.counters[connection.inode], later.counters[connection.inode]
    if not first or not second:
        return
    use.counted = True
    use.quiet = second.idle
    # A connection whose other holders have ended belongs to the one that is left, as that of a daemon does.
    if second.sent <= first.sent or not _held_by_several(connection, later):
        return
    use.moved += 1
    # What was in the send queue needs no process to be sent.
    if first.unsent:
        return
    ran = [
        pid
        for pid in connection.holders
        # From before the first counters until after the second ones.
        if earlier.before[pid][0] or later.after[pid][0] or earlier.before[pid][1] != later.after[pid][1]
    ]
    if len(ran) == 1:
        use.by[ran[0]] = use.by.get(ran[0], 0) + 1


def _held_by_several(connection: Connection, look: _Look) -> bool:
    return sum(look.after[pid][1] != ENDED for pid in connection.holders) > 1


def _waiting(use: Use, connection: Connection, look: _Look, since: dict[tuple[int, int], float]) -> None:
    counters = look.counters[connection.inode]
    for pid, numbers in connection.holders.items():
        waiting = [wait for wait in waits.waits(pid) if numbers and wait.descriptor in numbers]
        # The descriptor may have been opened for another file meanwhile.
        if waiting and connection.inode in descriptors(pid) and _held_by_several(connection, look):
            use.waited[pid] = use.waited.get(pid, 0) + 1
        if waiting and all(wait.endless for wait in waiting) and not (counters and counters.unread):
            since.setdefault((connection.inode, pid), time.monotonic())
            use.endless[pid] = time.monotonic() - since[connection.inode, pid]
        else:
            since.pop((connection.inode, pid), None)
            use.endless.pop(pid, None)

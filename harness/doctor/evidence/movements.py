"""Who uses a connection: its counters moved while only one of its holders ran.

A process sends only while it runs. If `bytes_sent` of a connection grew between two readings, and of all
processes that hold it only one was on a processor in between, then that one sent. Silence proves nothing.
Intervals in which several ran are counted too: while they are all that there is, the watch goes on.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.doctor.evidence import netlink, tree
from harness.doctor.evidence.runs import RunReading, Runs
from harness.doctor.evidence.sockets import Connection, closed, descriptors
from harness.doctor.evidence.waits import Wait

BUDGET = 0.01
"""The share of a processor that watching may take."""

BUDGET_IN_DOUBT = 0.02
"""The same while a watch takes longer than was asked for."""

SHORTEST = 0.001
"""Seconds between two looks, at least."""

BURST = 0.1
"""Seconds of pause that are owed to `BUDGET` before it is made: looks at short intervals tell more apart, and
cost less, than the same number at regular ones."""

CALM = 0.1
"""Seconds between two looks if no process to find out about has run for `IDLE` seconds, instead of bursts."""

IDLE = 2.0
"""Longer than between two requests of a server: bursts that only follow a request miss the next one."""

CLEAN = 2
"""Intervals or looks that must show a use: one could be a process that ends, or starts a program."""

PLENTY = 5
"""Of these, as many as are worth reporting: the connection need not be looked at any longer."""

ENOUGH = 250
"""Looks at a connection without counters. A worker that waits for an answer at two of a hundred is seen
`CLEAN` times in them, unless it is one of 25. On a busy machine they take longer."""

LONGER = 4
"""While it is not clear whether a process uses a connection, a watch takes up to so many times as long."""

SHARE = 0.25
"""Of the clean intervals of other holders: a process that has run in fewer unclear ones is not in doubt."""

ENDLESS = 1.5
"""Seconds for which a wait without a limit is watched."""

NEWCOMERS = 0.25
"""Seconds between two searches for processes that were forked meanwhile."""


@dataclass
class Use:
    """What was seen of one connection while it was watched."""

    inode: int
    looks: int = 0
    """How often it was looked at."""
    by: dict[int, int] = field(default_factory=dict)
    """Intervals in which only this process can have sent, by pid."""
    unclear: dict[int, float] = field(default_factory=dict)
    """Intervals in which this process or others can have sent, each divided by their number, by pid."""
    waited: dict[int, int] = field(default_factory=dict)
    """Looks at which this process was in a call that reads from the connection, by pid."""
    endless: dict[int, float] = field(default_factory=dict)
    """For how many seconds a process has waited without a limit, with nothing unread, until the last look."""
    counted: bool = False
    """Whether the kernel's counters could be read."""
    unseen: bool = False
    """Whether something was sent although no known holder ran: there is one that is not known."""
    left: set[int] = field(default_factory=set)
    """Holders that have closed it, or have ended."""

    def shows(self, pid: int, times: int = CLEAN) -> bool:
        """Whether the process has been seen to use the connection."""
        return self.waited.get(pid, 0) >= times or (not self.unseen and self.by.get(pid, 0) >= times)

    def doubt(self, pid: int) -> bool:
        """Whether the process may use the connection, and more looks can show it.

        It was seen once, in too few looks, or in intervals in which others ran as well.
        """
        if self.unseen or pid in self.left or self.shows(pid):
            return False
        if self.waited.get(pid):
            return True
        if not self.counted:
            return self.looks < ENOUGH
        others = sum(count for each, count in self.by.items() if each != pid)
        return self.by.get(pid, 0) + self.unclear.get(pid, 0.0) >= max(1.0, SHARE * others)


@dataclass(frozen=True)
class Look:
    """One reading: runs, then counters, then runs again."""

    before: Mapping[int, RunReading]
    counters: netlink.Counters | None
    after: Mapping[int, RunReading]

    @property
    def held_by_several(self) -> bool:
        return sum(not reading.ended for reading in self.after.values()) > 1


def attribute(use: Use, earlier: Look, later: Look) -> None:
    """Add to `use` who can have sent what was sent between two looks."""
    first, second = earlier.counters, later.counters
    if not first or not second:
        return
    use.counted = True
    # A connection whose other holders have ended belongs to the one that is left, as that of a daemon does.
    if second.sent <= first.sent or not later.held_by_several:
        return
    # What was in the send queue needs no process to be sent.
    if first.unsent:
        return
    ran = [
        pid
        for pid, reading in later.after.items()
        # From before the first counters until after the second ones.
        if pid not in earlier.before or earlier.before[pid].ran_until(reading)
    ]
    if len(ran) == 1:
        use.by[ran[0]] = use.by.get(ran[0], 0) + 1
    for pid in ran if len(ran) > 1 else ():
        use.unclear[pid] = use.unclear.get(pid, 0.0) + 1 / len(ran)
    use.unseen = use.unseen or not ran


class Watch:
    """A watch of connections that several processes hold, until it is closed.

    `suspects` are the holders to find out about, by inode.
    """

    def __init__(self, shared: Sequence[Connection], suspects: Mapping[int, Sequence[int]]) -> None:
        self.uses = {connection.inode: Use(connection.inode) for connection in shared}
        """What was seen of each, by inode."""
        self._shared = list(shared)
        self._suspects = suspects
        self._holders = {connection.inode: dict(connection.holders) for connection in shared}
        self._runs = {pid: Runs(pid) for connection in shared for pid in connection.holders}
        self._latest: dict[int, Look] = {}
        self._waits: dict[tuple[int, int], tuple[Wait | None, float]] = {}
        """The wait of each holder on each connection, and since when."""
        self._known = set(tree.pids())
        self._kept: dict[int, dict[int, int]] = {inode: {} for inode in self.uses}
        """What is proven, as of the last search for further holders."""
        self._diags = {each.network: netlink.Diag(each.network) for each in shared}
        self._active = 0.0
        """When a suspect was last seen to run, or to wait for an answer."""

    def run(self, seconds: float, over: Callable[[], bool]) -> float:
        """Watch, and return for how many seconds.

        It takes at most `BUDGET` of a processor: the more there is to read, the fewer looks there are. While
        there is doubt about a suspect, it takes up to `LONGER` times as long, unless it is `over`.
        """
        began = searched = time.monotonic()
        owed, elapsed, cpu = 0.0, 0.0, time.thread_time()
        while True:
            before, elapsed = elapsed, time.monotonic() - began
            before_cpu, cpu = cpu, time.thread_time()
            budget = BUDGET if elapsed < seconds else BUDGET_IN_DOUBT
            owed = max(0.0, owed + (cpu - before_cpu) / budget - (elapsed - before))
            if began + elapsed - searched >= NEWCOMERS:
                self.search()
                searched = began + elapsed
            due = [connection for connection in self._shared if not self._settled(connection.inode)]
            self._look(due)
            limit = seconds * (LONGER if elapsed >= seconds and self._doubt() and not over() else 1)
            if elapsed >= limit:
                break
            calm = time.monotonic() - self._active > IDLE
            pause = owed if owed >= BURST else CALM if calm else SHORTEST
            if not due:
                pause = seconds
            time.sleep(max(0.0, min(pause, began + limit - time.monotonic())))
        self._look(self._shared)
        self.search()
        return elapsed

    def holders(self, inode: int) -> list[int]:
        return list(self._holders[inode])

    def close(self) -> None:
        for diag in self._diags.values():
            diag.close()
        for runs in self._runs.values():
            runs.close()

    def _settled(self, inode: int) -> bool:
        """Whether nothing more is to be learned about a connection."""
        use = self.uses[inode]
        if any(0 < seconds < ENDLESS for seconds in use.endless.values()):
            return False
        if inode in self._latest and not self._latest[inode].held_by_several:
            return True
        return all(use.shows(pid, PLENTY) for pid in self._suspects.get(inode, ()))

    def _doubt(self) -> bool:
        return any(
            use.doubt(pid) for inode, use in self.uses.items() for pid in self._suspects.get(inode, ())
        )

    def _look(self, due: Sequence[Connection]) -> None:
        pids = {pid for connection in due for pid in self._holders[connection.inode]}
        before = {pid: self._runs[pid].read() for pid in pids}
        counters = {each.inode: self._diags[each.network].counters(each.request, each.inode) for each in due}
        moved = {
            pid
            for connection in due
            if _sent(self._latest.get(connection.inode), counters[connection.inode])
            for pid in self._holders[connection.inode]
        }
        after = {**before, **{pid: self._runs[pid].read() for pid in moved}}
        for inode in counters:
            holders = self._holders[inode]
            look = Look(
                {pid: before[pid] for pid in holders}, counters[inode], {pid: after[pid] for pid in holders}
            )
            self.uses[inode].looks += 1
            earlier = self._latest.get(inode)
            if earlier:
                attribute(self.uses[inode], earlier, look)
            self._latest[inode] = look
            self._waiting(inode, look)
            if not earlier or self._acts(inode, earlier, look):
                self._active = time.monotonic()

    def _acts(self, inode: int, earlier: Look, look: Look) -> bool:
        """Whether there is more to see of a connection than the next regular look shows."""
        return not self.uses[inode].counted or any(
            earlier.after[pid].ran_until(look.before[pid]) or self._waits.get((inode, pid), (None, 0))[0]
            for pid in self._suspects.get(inode, ())
            if pid in earlier.after and pid in look.before
        )

    def _waiting(self, inode: int, look: Look) -> None:
        use, several = self.uses[inode], look.held_by_several
        for pid, numbers in self._holders[inode].items():
            wait = next((wait for wait in self._runs[pid].waits() if wait.descriptor in numbers), None)
            first, since = self._waits.get((inode, pid), (None, 0.0))
            if wait is not first:
                # The descriptor may have been opened for another file meanwhile.
                known = wait is not None and not closed(pid, (wait.descriptor,), inode)
                first, since = self._waits[inode, pid] = (wait if known else None, time.monotonic())
            if first and several:
                use.waited[pid] = use.waited.get(pid, 0) + 1
            if first and first.endless and not (look.counters and look.counters.unread):
                use.endless[pid] = time.monotonic() - since
            else:
                use.endless.pop(pid, None)

    def search(self) -> None:
        """Look for processes that were forked meanwhile, or have closed a connection.

        What was seen proves nothing once there is a further holder.
        """
        pids = set(tree.pids())
        joined = {pid: descriptors(pid) for pid in pids - self._known}
        self._known = pids
        for inode, use in self.uses.items():
            holders = self._holders[inode]
            left = {pid for pid, numbers in holders.items() if closed(pid, numbers, inode)}
            use.left |= left
            self._holders[inode] = {pid: holders[pid] for pid in holders if pid not in left}
            new = {pid: tuple(sockets[inode]) for pid, sockets in joined.items() if inode in sockets}
            if new:
                use.by = dict(self._kept[inode])
                self._holders[inode] |= new
                self._runs |= {pid: Runs(pid) for pid in new if pid not in self._runs}
                self._latest.pop(inode, None)
            self._kept[inode] = dict(use.by)


def _sent(earlier: Look | None, counters: netlink.Counters | None) -> bool:
    return bool(earlier and earlier.counters and counters and counters.sent > earlier.counters.sent)

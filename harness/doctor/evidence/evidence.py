"""All evidence about a process tree."""

from dataclasses import dataclass, field

from harness.doctor.evidence import sockets, tree
from harness.doctor.evidence.inside import Reported
from harness.doctor.evidence.movements import Use
from harness.doctor.evidence.netlink import Counters
from harness.doctor.evidence.pages import Pages
from harness.doctor.evidence.server import ServerView
from harness.doctor.evidence.sockets import Connection
from harness.doctor.evidence.stacks import Stack
from harness.doctor.evidence.tree import Process


@dataclass(frozen=True)
class TreeEvidence:
    """What was seen of a process and its descendants, from outside."""

    root: int
    processes: dict[int, Process]
    copies: dict[int, int]
    """For each process that was forked without a new program: the process that it is a copy of."""
    connections: tuple[Connection, ...]
    uses: dict[int, Use]
    """By inode, for the connections that several processes hold."""
    locked: tuple[int, ...]
    """Processes all of whose threads waited for a lock in their own memory, and did not run meanwhile."""
    watched: float
    """Seconds."""
    pages: dict[int, tuple[Pages, Pages]] = field(default_factory=dict)
    """Memory of the copies, at the beginning and at the end."""
    server: ServerView | None = None
    titles: dict[int, str] = field(default_factory=dict)
    """The title of the server's process for a connection, by inode, where it is on this machine."""
    began: dict[int, float] = field(default_factory=dict)
    """When that process began, in seconds since boot, by inode."""
    counters: dict[int, Counters] = field(default_factory=dict)
    """Of each TCP connection when the watch was over, by inode."""
    psycopg: frozenset[int] = frozenset()
    """Processes that may have psycopg 3, of those that share connections."""
    hidden: tuple[int, ...] = ()
    """Processes that started the first one and may hold its connections, but cannot be read."""
    stacks: dict[int, tuple[Stack, ...]] = field(default_factory=dict)
    reports: tuple[Reported, ...] = ()
    """What the processes have reported, if they are observed."""
    notes: tuple[str, ...] = ()
    """What could not be inspected, and why."""
    boot: float = 0.0
    """The time since boot when the evidence was complete, in seconds."""

    @property
    def unreadable(self) -> tuple[int, ...]:
        return (*(pid for pid, process in self.processes.items() if not process.readable), *self.hidden)

    def sessions(self) -> dict[int, list[str]]:
        """The states of the sessions of each process that opened some, if the server was asked."""
        found: dict[int, list[str]] = {}
        for connection in self.connections if self.server else ():
            session = self.server.of(connection) if self.server else None
            holders = [pid for pid in connection.holders if pid in self.processes]
            if session and holders:
                opener = min(holders, key=lambda pid: self.processes[pid].started)
                found.setdefault(opener, []).append(session.state or "state unknown")
        return dict(sorted(found.items()))

    def copied(self) -> dict[int, int]:
        """Bytes of inherited memory that each worker has copied while it was watched."""
        return {
            pid: max(0, min(end.own - begin.own, begin.shared - end.shared))
            for pid, (begin, end) in self.pages.items()
        }

    def starters(self, pid: int) -> list[int]:
        """The processes that started a process, directly or not, the nearest first."""
        found = []
        while pid in self.processes and self.processes[pid].ppid in self.processes:
            pid = self.processes[pid].ppid
            found.append(pid)
        return found

    def ancestors(self, pid: int) -> list[int]:
        """The processes that a copy descends from by forks, the nearest first."""
        return tree.ancestors(self.copies, pid)

    def inherited(self, connection: Connection, pid: int) -> bool:
        """Whether a process got a connection by a fork."""
        return sockets.inherited(self.copies, connection, pid)

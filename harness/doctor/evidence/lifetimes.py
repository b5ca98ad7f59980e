"""When observed processes exit, and which others still hold their connections."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.doctor.evidence import inside, sockets
from harness.processes import proc

POLL = 0.1
"""Seconds between two looks."""

SURVIVED = 1.0
"""Seconds that a process must outlive another one to count: a whole group is often killed at once."""

MOVED = 3.0
"""Seconds after a first use of its connection in which the parent of a daemon ends, even if it is slow."""


@dataclass(frozen=True)
class Survivor:
    """A process that still holds a connection of a process that has exited."""

    pid: int
    opener: int
    inode: int


class Lifetimes:
    """Watches the processes that report to a directory, in a thread, until it is closed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._alive: dict[int, float] = {}
        self._began: dict[int, int] = {}
        """Clock ticks: another process may get the pid of one that has ended."""
        self._ended: dict[int, float] = {}
        self._held: set[tuple[int, int]] = set()
        self.elsewhere: set[int] = set()
        """The processes that have reported from another PID namespace, by their pids there."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(POLL):
            self._look()

    def _look(self) -> None:
        for path in self._directory.glob("*.jsonl"):
            name, _, *elsewhere, _ = path.name.split(".")
            pid = int(name)
            if elsewhere:
                # In its PID namespace it has this pid, and here it may be another's.
                self.elsewhere.add(pid)
                continue
            if pid in self._ended:
                continue
            stat = proc.stat(pid)
            now = time.monotonic()
            same = stat and self._began.setdefault(pid, stat.start_ticks) == stat.start_ticks
            if stat and same and stat.running and not proc.killed(pid):
                self._alive[pid] = now
                if self._ended:
                    self._held |= {(pid, inode) for inode in sockets.descriptors(pid)}
            else:
                self._ended[pid] = now

    def close(self) -> None:
        """End the thread. Takes `SURVIVED` seconds if observed processes are still running."""
        self._stop.set()
        self._thread.join()
        self._look()
        if self._ended and self._ended.keys() != self._alive.keys() | self._ended.keys():
            time.sleep(SURVIVED + POLL)
            self._look()

    @property
    def alive(self) -> dict[int, float]:
        """When each process was last seen alive, in seconds of `time.monotonic()`."""
        return dict(self._alive)

    def running(self) -> list[int]:
        """The processes that have reported and have not ended."""
        return [pid for pid in list(self._alive) if pid not in self._ended]

    def outlived(self, pid: int, opener: int) -> bool:
        """Whether a process outlived the process that opened its connection."""
        return opener in self._ended and self._alive.get(pid, 0.0) >= self._ended[opener] + SURVIVED

    def moved(self, report: inside.Reported) -> bool:
        """Whether the opener exited right after the fork, as when a process becomes a daemon."""
        opener = report.opener
        return self.outlived(report.pid, opener) and self._ended[opener] < report.time / 1e9 + MOVED

    def survivors(self, reports: Iterable[inside.Reported]) -> list[Survivor]:
        """Processes that outlived the opener of a connection which they hold and have not used."""
        opened = inside.opened(reports)
        used = {(report.pid, report.fields.get("inode")) for report in reports if report.event == "used"}
        return [
            Survivor(pid, opened[inode][2], inode)
            for pid, inode in sorted(self._held)
            if inode in opened and (pid, inode) not in used and self.outlived(pid, opened[inode][2])
        ]

"""The processes: a process and its descendants, and which of them are copies that another one has forked."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.processes import proc

TICK = 1 / os.sysconf("SC_CLK_TCK")

SECRETS = (
    # Of a URL, only host, port and database are shown.
    (re.compile(r"(\w+://)(?:[^\s/@]*@)?([^\s?#]*)(?:[?#]\S*)?"), r"\1\2"),
    (re.compile(r"(?i)(\bpassw\w*|\bsecret\w*|\btoken\w*|\w*key)([=\s]+)\S+"), r"\1\2***"),
)

SHOWN = 70
"""Characters of a command line that are shown."""


@dataclass(frozen=True)
class Process:
    """A process, as it was when the tree was read."""

    pid: int
    ppid: int
    command: str
    """Its command line, which may have secrets: `shown` is what can be printed."""
    started: float
    """Seconds since boot."""
    threads: int
    image: int
    """The address of its stack, which a fork keeps and a new program changes; 0 if it could not be read."""
    readable: bool
    """Whether its descriptors can be listed: not if it is another user's."""

    def forked_from(self, other: "Process") -> bool:
        """Whether it runs the program that `other` had started, in a copy of its memory."""
        return self.image == other.image != 0 and self.started >= other.started and self.pid != other.pid


def read(pid: int) -> Process | None:
    """A process; None if there is none, or if it has ended."""
    stat = proc.stat(pid)
    if not stat or not stat.running:
        return None
    return Process(
        pid,
        stat.ppid,
        proc.command_line(pid) or stat.name,
        stat.start_ticks * TICK,
        stat.threads,
        stat.stack_start,
        _readable(pid),
    )


def _readable(pid: int) -> bool:
    return os.access(f"/proc/{pid}/fd", os.R_OK | os.X_OK)


def shown(command: str) -> str:
    """A command line that can be printed."""
    for pattern, replacement in SECRETS:
        command = pattern.sub(replacement, command)
    command = " ".join(command.split())
    return command if len(command) <= SHOWN else f"{command[: SHOWN - 1]}…"


def pids() -> list[int]:
    """All processes of this pid namespace."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def tree(root: int, besides: Iterable[int] = ()) -> dict[int, Process]:
    """A process and its descendants by pid, and its orphans: copies of it whose parent has ended.

    `besides` are further processes with their descendants. Empty if there is no process `root`.
    """
    stats = {stat.pid: stat for stat in map(proc.stat, pids()) if stat and stat.running}
    if root not in stats:
        return {}
    children: dict[int, list[int]] = {}
    for stat in stats.values():
        children.setdefault(stat.ppid, []).append(stat.pid)
    found: list[int] = []
    waiting = [*(pid for pid in besides if pid in stats), root]
    while waiting:
        pid = waiting.pop()
        if pid in found:
            continue
        found.append(pid)
        waiting += sorted(children.get(pid, ()), reverse=True)
    images = {stats[pid].stack_start for pid in found} - {0}
    orphans = [pid for pid, stat in stats.items() if stat.stack_start in images and pid not in found]
    processes = map(read, [*found, *orphans])
    return {process.pid: process for process in processes if process}


def problem(pid: int) -> str:
    """Why a process cannot be inspected; empty if nothing is against it."""
    stat = proc.stat(pid)
    if not stat:
        return f"there is no process {pid}"
    if not stat.running:
        return f"process {pid} has ended"
    if 2 in (pid, stat.ppid) and not proc.command_line(pid):
        return f"process {pid} is a thread of the kernel"
    return ""


def parents(processes: Iterable[Process]) -> dict[int, int]:
    """For each process that was forked without a new program: the pid of the process that it is a copy of.

    That is its parent, or the oldest copy if its parent has ended or is not among them.
    """
    known = {process.pid: process for process in processes}
    copied: dict[int, int] = {}
    for process in known.values():
        parent = known.get(process.ppid)
        if parent and process.forked_from(parent):
            copied[process.pid] = parent.pid
            continue
        older = [
            other
            for other in known.values()
            if process.forked_from(other) and other.started < process.started
        ]
        if older:
            copied[process.pid] = min(older, key=lambda other: other.started).pid
    return copied


def ancestors(copies: Mapping[int, int], pid: int) -> list[int]:
    """The processes that a copy descends from by forks, the nearest first; `copies` is of `parents`."""
    found: list[int] = []
    while pid in copies and copies[pid] not in found:
        pid = copies[pid]
        found.append(pid)
    return found


def started(pid: int) -> float:
    """When a process began, in seconds since boot; 0 if there is none."""
    stat = proc.stat(pid) if pid else None
    return stat.start_ticks * TICK if stat else 0.0


def hidden(root: int, known: Mapping[int, Process]) -> list[int]:
    """The processes that started `root`, directly or not, and run its program, but cannot be read."""
    stats = {pid: proc.stat(pid) for pid in known}
    names = {stat.name for stat in stats.values() if stat}
    found: list[int] = []
    stat = stats.get(root)
    while stat and stat.ppid > 1:
        stat = proc.stat(stat.ppid)
        if stat and stat.pid not in known and stat.name in names and not _readable(stat.pid):
            found.append(stat.pid)
    return found


def loads_psycopg(pid: int) -> bool:
    """Whether a process has loaded psycopg 3, by the files that it maps; also if these cannot be read."""
    try:
        with open(f"/proc/{pid}/maps") as file:
            files = file.read()
    except OSError:
        return True
    if "psycopg_binary" in files or "psycopg_c" in files:
        return True
    # Without them, it calls libpq by ctypes.
    return "/libpq" in files and "psycopg2" not in files

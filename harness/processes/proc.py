"""The kernel's table of processes: proc(5), `/proc/PID/stat`."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcStat:
    """One process, as its `stat` file shows it."""

    pid: int
    state: str
    """One letter: `R` running, `S` and `D` waiting, `T` and `t` stopped, `Z` and `X` ended."""
    ppid: int
    group: int
    session: int
    cpu_ticks: int
    """Processor time in clock ticks, user and system together."""
    stack_start: int
    """The address at which the stack begins (`startstack`): random at each execve, kept by a fork."""

    @property
    def running(self) -> bool:
        """Whether it has not ended: a zombie has."""
        return self.state not in "ZX"


def stat(pid: int | str) -> ProcStat | None:
    """The process with this pid, or `self`; None if there is none."""
    try:
        text = Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return None
    # The name in parentheses may contain spaces and parentheses.
    number, _, rest = text.partition(" ")
    fields = rest.rpartition(")")[2].split()
    return ProcStat(
        pid=int(number),
        state=fields[0],
        ppid=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        cpu_ticks=int(fields[11]) + int(fields[12]),
        stack_start=int(fields[25]),
    )


def all_processes() -> Iterator[ProcStat]:
    """Every process of the machine that this one can see, zombies included."""
    for name in os.listdir("/proc"):
        if name.isdigit() and (process := stat(name)):
            yield process


def group_members(group: int) -> list[ProcStat]:
    """The processes of a process group that have not ended."""
    return [process for process in all_processes() if process.group == group and process.running]


def session_members(session: int) -> list[ProcStat]:
    """The processes of a session that have not ended."""
    return [process for process in all_processes() if process.session == session and process.running]


def command_line(pid: int) -> str:
    """The arguments of a process, separated by spaces; empty in the midst of an exec, or if it has ended."""
    try:
        arguments = Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return ""
    return arguments.replace(b"\0", b" ").decode(errors="replace").strip()

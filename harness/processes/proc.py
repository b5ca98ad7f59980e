"""The kernel's table of processes: proc(5), `/proc/PID/stat`."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcStat:
    """One process, as its `stat` file shows it."""

    pid: int
    name: str
    """The name of the program, cut to 15 bytes (`comm`)."""
    state: str
    """One letter: `R` running, `S` and `D` waiting, `T` and `t` stopped, `Z` and `X` ended."""
    ppid: int
    group: int
    session: int
    cpu_ticks: int
    """Processor time in clock ticks, user and system together."""
    threads: int
    start_ticks: int
    """When it started, in clock ticks since boot."""
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
    head, _, rest = text.rpartition(")")
    number, _, name = head.partition(" (")
    fields = rest.split()
    return ProcStat(
        pid=int(number),
        name=name,
        state=fields[0],
        ppid=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        cpu_ticks=int(fields[11]) + int(fields[12]),
        threads=int(fields[17]),
        start_ticks=int(fields[19]),
        stack_start=int(fields[25]),
    )


def cpu_seconds(pid: int) -> float:
    """The processor time of a process, all of its threads, to the nanosecond; 0 if there is none.

    `stat` has only hundredths of a second, and a forked worker may be done in one. Source: the clocks of
    processes that clock_getcpuclockid(3) describes.
    """
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


def running(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    process = stat(pid)
    return process is not None and process.running


def killed(pid: int) -> bool:
    """Whether a process was sent SIGKILL; on a busy machine it may not have ended yet."""
    try:
        status = Path("/proc", str(pid), "status").read_text()
    except OSError:
        return True
    lines = (line.split() for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd")))
    return any(int(mask, 16) >> (signal.SIGKILL - 1) & 1 for _, mask in lines)


def session_processes(session: int) -> Iterator[ProcStat]:
    """The processes of a session, zombies included."""
    return _processes_where(os.getsid, session)


def session_members(session: int) -> list[int]:
    """The pids of a session's processes that have not ended."""
    return [process.pid for process in session_processes(session) if process.running]


def group_members(group: int) -> list[int]:
    """The pids of a process group's processes that have not ended."""
    return [process.pid for process in _processes_where(os.getpgid, group) if process.running]


def _processes_where(number_of: Callable[[int], int], number: int) -> Iterator[ProcStat]:
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        # The system call is much cheaper than to read the file of every process.
        with contextlib.suppress(OSError):
            if number_of(pid) == number and (process := stat(pid)):
                yield process


def command_line(pid: int) -> str:
    """The arguments of a process, separated by spaces; empty during an exec, or if it has ended."""
    try:
        arguments = Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return ""
    return arguments.replace(b"\0", b" ").decode(errors="replace").strip()

"""Ends process groups and frees the shared memory that they would leave; watchdog.sh does the same in shell.

PostgreSQL's processes leave shared memory if they are killed. A server has a System V segment for its lock on
the data directory; before version 16, initdb also has files in /dev/shm, whose names are random.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.processes import proc
from harness.processes.wait import wait_until

GRACE = 2.0
"""Seconds between a group's own signal and SIGKILL, as in the watchdogs."""

LINGER = 2.0
"""Seconds to retry the removal of a directory, into which a killed process may still write a last file."""

TRACKER = "resource_tracker import main"
"""A part of the command line of Python's resource tracker, and of joblib's."""

POSTGRES = "bin/postgres"
"""A part of the command line of PostgreSQL's processes."""

FILE = re.compile(r"/dev/shm/PostgreSQL\.[0-9]+")

LINE_OF_SEGMENT = 6
"""The line of postmaster.pid, from 0, with the key and the id of the segment."""

TIMEOUT = 2.0
"""Seconds for ipcrm."""


def end(ends: Mapping[int, str]) -> set[str]:
    """Send each group its signal, and SIGKILL to the processes that remain after `GRACE` seconds.

    It does not wait for groups that get SIGKILL, because none of their processes runs again. The exception is
    a group with a resource tracker, which unlinks what the others shared and ends when they are gone. Returns
    the ids of the shared memory segments that the groups have created, to free once they have been reaped.
    """
    tracked = {group for group, how in ends.items() if how == "SIGKILL" and any(running(group).values())}
    waiting = {group for group, how in ends.items() if how != "SIGKILL"} | tracked
    created: set[str] = set()
    for group in ends.keys() - tracked:
        files: set[Path] = set()
        if ends[group] == "SIGKILL":
            # A process that continues to run might share more.
            if postgres(group):
                _send(group, signal.SIGSTOP)
            files = files_shared(group)
        created |= segments(group)
        _send(group, getattr(signal, ends[group]))
        for path in files:
            path.unlink(missing_ok=True)

    def ended() -> bool:
        for group in waiting & tracked:
            for pid, tracker in running(group).items():
                if not tracker:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        return not any(map(running, waiting))

    if waiting:
        wait_until(ended, GRACE)
    for group in ends:
        _send(group, signal.SIGKILL)
    return created


def _send(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def running(group: int) -> dict[int, bool]:
    """The pids of a group's processes that have not ended, and whether each is a resource tracker.

    A process in the middle of its exec has no command line, and may become one.
    """
    commands = {pid: proc.command_line(pid) for pid in proc.group_members(group)}
    return {pid: not command or TRACKER in command for pid, command in commands.items()}


def postgres(group: int) -> list[int]:
    """The pids of PostgreSQL's processes in a process group."""
    return [pid for pid in proc.group_members(group) if POSTGRES in proc.command_line(pid)]


def files_shared(group: int) -> set[Path]:
    """The files in /dev/shm that PostgreSQL's processes of a group have mapped or opened."""
    found: set[str] = set()
    for pid in postgres(group):
        with contextlib.suppress(OSError):
            found |= set(FILE.findall(Path(f"/proc/{pid}/maps").read_text()))
            for descriptor in os.scandir(f"/proc/{pid}/fd"):
                found |= set(FILE.findall(os.readlink(descriptor)))
    return set(map(Path, found))


def segments(group: int) -> set[str]:
    """The ids of the segments that the processes of a group have created.

    postmaster.pid names the segment too, but only a moment after its creation.
    """
    members = set(map(str, proc.group_members(group)))
    try:
        rows = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    except OSError:
        return set()  # The kernel has no System V shared memory.
    return {segment for _, segment, _, _, creator, *_ in map(str.split, rows) if creator in members}


def free(ids: Iterable[str]) -> None:
    """Free segments; those that no longer exist are ignored."""
    for segment in ids:
        subprocess.run(["ipcrm", "-m", segment], stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=False)


def remove(directory: Path) -> None:
    """Remove a directory, and free the segments that pid files of servers in it name."""

    def removed() -> bool:
        free(_segments_named_below(directory))
        shutil.rmtree(directory, ignore_errors=True)
        return not directory.exists()

    wait_until(removed, LINGER)


def _segments_named_below(directory: Path) -> set[str]:
    found = set()
    # Search at any depth, because a directory of one supervision may be inside that of another.
    for folder, _, names in os.walk(directory):
        if "postmaster.pid" in names:
            with contextlib.suppress(FileNotFoundError):
                lines = Path(folder, "postmaster.pid").read_text().splitlines()
                found |= {line.split()[-1] for line in lines[LINE_OF_SEGMENT:][:1] if line.strip()}
    return found

"""The shared memory that PostgreSQL's processes leave behind if they are killed.

A server has a segment of System V for its lock on the data directory; before version 16, initdb has files in
/dev/shm besides, whose names are random. watchdog.sh does the same in shell.
"""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from harness.processes import proc

POSTGRES = "bin/postgres"
"""In the command line of PostgreSQL's processes."""

FILE = re.compile(r"/dev/shm/PostgreSQL\.[0-9]+")

LINE_OF_SEGMENT = 6
"""Of postmaster.pid, from 0: the key and the id of the segment."""

TIMEOUT = 2.0
"""Seconds for ipcrm."""


def postgres(group: int) -> list[int]:
    """The pids of PostgreSQL's processes in a process group."""
    return [pid for pid in proc.group_members(group) if POSTGRES in proc.command_line(pid)]


def files(group: int) -> set[Path]:
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

    postmaster.pid names the segment too, but a moment after its creation.
    """
    members = set(map(str, proc.group_members(group)))
    try:
        rows = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    except OSError:
        return set()  # A kernel without System V's shared memory.
    return {segment for _, segment, _, _, creator, *_ in map(str.split, rows) if creator in members}


def segments_named_below(directory: Path) -> set[str]:
    """The ids of the segments that the pid files of servers below a directory name."""
    found = set()
    # At any depth: a directory of one supervision may be inside that of another.
    for folder, _, names in os.walk(directory):
        if "postmaster.pid" in names:
            with contextlib.suppress(FileNotFoundError):
                lines = Path(folder, "postmaster.pid").read_text().splitlines()
                found |= {line.split()[-1] for line in lines[LINE_OF_SEGMENT:][:1] if line.strip()}
    return found


def free(ids: Iterable[str]) -> None:
    """Free segments; those that are gone already are ignored."""
    for segment in ids:
        subprocess.run(["ipcrm", "-m", segment], stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=False)

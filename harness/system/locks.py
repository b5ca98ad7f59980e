"""Locks of a checkout, which keep two runs from doing the same at the same time.

The kernel releases a lock when its owner ends, even by `kill -9`, so the next run can take it over.
"""

import fcntl
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

OWNED = "POOLSTART_LOCK"
"""Environment variable: the path of a lock that a parent of this process owns."""

RESULTS = ROOT / ".asv" / "results.lock"
"""The lock for runs that store results by asv."""

POLL = 0.1
"""Seconds between two attempts."""


@contextmanager
def locked(path: Path, *, seconds: float = 0) -> Iterator[None]:
    """A context that owns the lock in this file; if another process does, it says so and waits `seconds`.

    Raises `PoolstartError`, which names the owner and its command, if another process owns it.
    """
    if os.environ.get(OWNED) == str(path.absolute()):
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise files.not_written(path, error) from None
    with open(descriptor, "r+b", buffering=0) as file:
        acquire(file.fileno(), seconds)
        owner = f"process {os.getpid()} (`{command()}`)"
        os.pwrite(descriptor, owner.encode() + b"\n", 0)
        os.ftruncate(descriptor, len(owner.encode()) + 1)
        yield


def acquire(descriptor: int, seconds: float) -> None:
    """Own the lock of an open file within `seconds`. Raises `PoolstartError` if another process owns it."""
    until, announced = time.monotonic() + seconds, False
    while True:
        try:
            # A child does not inherit POSIX locks, so they end with the owner alone.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except (BlockingIOError, PermissionError):
            owner = os.pread(descriptor, 4096, 0).decode(errors="replace").strip() or "another process"
        if time.monotonic() >= until:
            raise PoolstartError(f"{owner} is at work in this checkout", "start this when it has ended")
        if not announced:
            announced = True
            print(f"poolstart: waiting for {owner}", file=sys.stderr)
        time.sleep(POLL)


def command() -> str:
    """The command line of this process, without folders and interpreters."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *sys.argv[1:]])


def inherited(path: Path) -> dict[str, str]:
    """The environment variable that lets a child do what this process has locked."""
    return {OWNED: str(path.absolute())}

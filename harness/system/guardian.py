"""The process that outlives its owner just long enough to clean up after it.

Run as ``python -I -S guardian.py`` with the owner's pipe on standard input (see `harness.system.custody`).
Each line names something to hold or to let go of::

    hold group 4242 SIGKILL      hold directory /tmp/x      drop group 4242      drop directory /tmp/x

End of file means the owner has gone, however it went (``kill -9`` included): whatever is still held
is ended and removed. Only the standard library's cheapest modules are imported.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence

GRACE = 2.0
"""Seconds a group has between its own signal and SIGKILL."""


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def send(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end(groups: dict[int, str], directories: set[str], reap: Sequence[Callable[[], object]] = ()) -> None:
    """Signal every group, SIGKILL what is left after `GRACE` seconds, then remove the directories.

    `reap` is called while waiting: a zombie leader would keep its group looking alive. Groups that were
    sent SIGKILL are not waited for: nothing of them runs again, and an init that is slow to reap their
    orphans would keep them looking alive too.
    """
    for group, name in groups.items():
        send(group, getattr(signal, name))
    waited_for = [group for group, name in groups.items() if name != "SIGKILL"]
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline:
        for poll in reap:
            poll()
        if not any(map(alive, waited_for)):
            break
        time.sleep(0.01)
    for group in groups:
        send(group, signal.SIGKILL)
    for path in directories:
        shutil.rmtree(path, ignore_errors=True)


def main() -> None:
    # Ctrl-C and a closing terminal are the owner's business; this process ends with the pipe.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, str] = {}
    directories: set[str] = set()
    for line in sys.stdin:
        verb, kind, what = line.rstrip("\n").split(" ", 2)
        if kind == "group":
            group, _, name = what.partition(" ")
            if verb == "hold":
                groups[int(group)] = name
            else:
                groups.pop(int(group), None)
        elif verb == "hold":
            directories.add(what)
        else:
            directories.discard(what)
    end(groups, directories)


if __name__ == "__main__":
    main()

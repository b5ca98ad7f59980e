"""Artificial load keeps the cores busy that it should, for the time it should."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from harness.processes import load, proc
from harness.processes.wait import wait_until

DEADLINE = 300.0


def running(code: str, number: int) -> list[int]:
    """The children of this process that run some code, as soon as there are so many.

    In the midst of its exec a process has no command line.
    """
    return wait_until(lambda: found(code), DEADLINE, accept=lambda pids: len(pids) == number)


def found(code: str) -> list[int]:
    pids = map(int, filter(str.isdigit, os.listdir("/proc")))
    children = [process for pid in pids if (process := proc.stat(pid)) and process.ppid == os.getpid()]
    return [child.pid for child in children if code.strip() in proc.command_line(child.pid)]


def worked(pid: int) -> int:
    """The clock ticks for which it ran."""
    process = proc.stat(pid)
    return process.cpu_ticks


def rested(pid: int) -> int:
    """How often it has slept."""
    status = Path(f"/proc/{pid}/status").read_text()
    switches = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.MULTILINE)
    assert switches
    return int(switches[1])


def until(condition: Callable[[], bool]) -> bool:
    return wait_until(condition, DEADLINE, poll=0.02)


def test_one_core_is_busy_for_some_of_the_time() -> None:
    with load.at_random():
        [pid] = running(load.AT_RANDOM, 1)
        assert until(lambda: worked(pid) > 50)
        # Work and rest alternate, and neither is at the beginning only.
        for _ in range(3):
            slept = rested(pid)
            assert until(lambda slept=slept: rested(pid) > slept)  # type: ignore[misc]
            done = worked(pid)
            assert until(lambda done=done: worked(pid) > done)  # type: ignore[misc]
    assert not found(load.AT_RANDOM)


def test_every_core_but_one_is_busy() -> None:
    with load.all_but_one() as number:
        assert len(running(load.BUSY, number)) == number == (os.cpu_count() or 1) - 1
    assert not found(load.BUSY)

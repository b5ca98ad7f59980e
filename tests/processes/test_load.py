"""Load: what is kept busy, and for how long."""

import os
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from harness.processes import load

DEADLINE = 60.0


def running(code: str) -> list[int]:
    """The processes of this one that run some code."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == os.getpid() and code.encode() in words:
            found.append(int(entry.name))
    return found


def worked(pid: int) -> int:
    """The ticks it has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def rested(pid: int) -> int:
    """How often it has slept."""
    found = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    assert found
    return int(found[1])


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_one_core_is_busy_for_some_of_the_time() -> None:
    with load.at_random():
        [pid] = running(load.AT_RANDOM)
        assert until(lambda: worked(pid) > 50)
        # Work and rest alternate, and neither is at the beginning only.
        for _ in range(3):
            slept = rested(pid)
            assert until(lambda slept=slept: rested(pid) > slept)  # type: ignore[misc]
            done = worked(pid)
            assert until(lambda done=done: worked(pid) > done)  # type: ignore[misc]
    assert not running(load.AT_RANDOM)


def test_every_core_but_one_is_busy() -> None:
    with load.all_but_one() as number:
        assert len(running(load.BUSY)) == number == (os.cpu_count() or 1) - 1
    assert not running(load.BUSY)


@pytest.mark.parametrize("kept", [load.at_random, load.all_but_one])
def test_nothing_is_busy_that_was_not_asked_for(
    kept: Callable[[bool], AbstractContextManager[object]],
) -> None:
    with kept(False):
        assert not running(load.AT_RANDOM)
        assert not running(load.BUSY)

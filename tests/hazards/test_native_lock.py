"""A worker that waits for a slow server is not taken for one that waits for a lock."""

import subprocess
import sys
from types import SimpleNamespace
from typing import cast

import pytest

from harness.hazards.all.native_lock import waits_for_lock
from harness.hazards.inside.handle import WorkerHandle
from harness.processes import proc
from harness.processes.wait import wait_until

LOCK = "l = __import__('threading').Lock(); l.acquire(); print(flush=True); l.acquire()"
SERVER = "a, b = __import__('socket').socketpair(); print(flush=True); a.recv(1)"
BUSY = "print(flush=True)\nwhile True: pass"


def sleeps(pid: int) -> bool:
    found = proc.stat(pid)
    return found is not None and found.state == "S"


@pytest.mark.parametrize(("program", "locked"), [(LOCK, True), (SERVER, False), (BUSY, False)])
def test_only_a_lock_counts(program: str, locked: bool) -> None:
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            if program != BUSY:
                wait_until(lambda: sleeps(process.pid), 60)
            assert waits_for_lock(cast(WorkerHandle, SimpleNamespace(pid=process.pid))) is locked
        finally:
            process.kill()

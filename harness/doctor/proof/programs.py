"""Programs for the doctor to look at: started, awaited, and ended with all their processes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.doctor.run import LOOKS
from harness.processes import proc
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.system.environment import ROOT, environment
from harness.system.errors import PoolstartError

VICTIMS = ROOT / "tests" / "doctor" / "victims"

HEALTHY = (
    "idle_pool",
    "idle_executor",
    "busy_workers",
    "threads",
    "loop",
    "programs",
    "other_sockets",
    "daemon",
    "waiting_threads",
    "spawned",
    "double_fork",
    "generations",
    "listening",
    "inheriting_program",
    "recycled",
    "busy_thread",
    "checked_pid",
)
"""Functions of victims/healthy.py."""

FROM_OUTSIDE = ("lock", "pool_lock", "import_lock", "native_lock", "raw", "handler", "stolen", "daemon")
"""Victims whose processes do not report what is wrong with them: they are ended after two further looks from
outside, of which the second began when they had been set up."""

WITH_URL = ("capacity",)
"""Victims about which the doctor has to ask the server."""

POOLSTART = (sys.executable, "-c", "from harness.cli import main; main()")

DEADLINE = 120.0
"""Seconds for a look."""


class NotSetUp(PoolstartError):
    """A victim has ended, or said something else, before it was set up."""

    def __init__(self, name: str, variant: str) -> None:
        super().__init__(f"the program {name}, {variant}, was not set up", "run it by itself to see why")


@contextlib.contextmanager
def victim(
    name: str,
    variant: str,
    url: str,
    python: str | Path = sys.executable,
    supervision: Supervision | None = None,
) -> Iterator[int]:
    """A running victim that has reported that it is set up: the pid of the process to look at.

    `supervision` ends it if this process is killed. Raises `NotSetUp` if it does not get that far.
    """
    process = _start([python, VICTIMS / f"{name}.py"], url, variant, supervision)
    assert process.stdout
    try:
        word, *pid = process.stdout.readline().split() or [""]
        if word != "ready":
            raise NotSetUp(name, variant)
        yield int(pid[0]) if pid else process.pid
    finally:
        end(process.pid)
        process.wait()
        process.stdout.close()
        if supervision:
            supervision.stop(process)


def doctor(pid: int, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the report of `poolstart doctor PID --json`.

    Raises `PoolstartError` with its message if there is no report.
    """
    done = subprocess.run(
        [*POOLSTART, "doctor", str(pid), "--json", *options],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    if not done.stdout:
        raise PoolstartError(done.stderr.strip(), "look at the program by itself")
    return done.returncode, json.loads(done.stdout)


def observed(
    name: str,
    variant: str,
    url: str,
    report: Path,
    *options: str,
    python: str | Path = sys.executable,
    supervision: Supervision | None = None,
) -> dict[str, Any]:
    """The report of `poolstart doctor -- python VICTIM`; the victim is ended when it has been set up.

    Raises `NotSetUp` if it does not get that far.
    """
    options = (*options, *(("--url", url) if name in WITH_URL else ()))
    command = [*POOLSTART, "doctor", "--json-file", report, *options, "--", python, VICTIMS / f"{name}.py"]
    process = _start(command, url, variant, supervision)
    assert process.stdout
    try:
        if not process.stdout.readline().startswith("ready"):
            raise NotSetUp(name, variant)
        if {name, variant} & {*FROM_OUTSIDE}:
            wanted = _looks(process.pid) + 2
            # One that has become a daemon is not looked at any more.
            wait_until(
                lambda: process.poll() is not None or _looks(process.pid) >= wanted, DEADLINE, poll=0.1
            )
        else:
            time.sleep(0.5)
        end(process.pid, besides=process.pid)
        process.wait(DEADLINE)
    finally:
        end(process.pid)
        process.wait()
        process.stdout.close()
        if supervision:
            supervision.stop(process)
    content: dict[str, Any] = json.loads(report.read_text())
    return content


def _looks(doctor: int) -> int:
    """How many looks the doctor has made at the command that it runs."""
    for pid in proc.session_members(doctor):
        with contextlib.suppress(OSError):
            variables = Path("/proc", str(pid), "environ").read_bytes().split(b"\0")
            for each in variables:
                name, _, directory = each.partition(b"=")
                if name == b"POOLSTART_DOCTOR":
                    return os.stat(os.path.join(os.fsdecode(directory), LOOKS)).st_size
    return 0


def _start(
    command: Sequence[str | Path], url: str, variant: str, supervision: Supervision | None
) -> "subprocess.Popen[str]":
    options: dict[str, Any] = {
        "env": {**environment(VICTIMS), "VICTIM_URL": url, "VICTIM_VARIANT": variant},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
        "text": True,
    }
    if supervision:
        return supervision.start(command, **options)
    return subprocess.Popen(command, start_new_session=True, **options)


def end(session: int, besides: int = 0) -> None:
    """Kill the processes of a session, but for one."""
    for pid in proc.session_members(session):
        if pid != besides:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

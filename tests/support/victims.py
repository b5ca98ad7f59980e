"""Programs for the doctor to look at: started, awaited, and ended with all their processes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.doctor import detected
from harness.processes import proc
from harness.system.environment import environment

LOOKED = 4.0
"""Seconds for which a victim is observed after it has been set up: two looks from outside."""

FROM_OUTSIDE = ("lock", "pool_lock", "import_lock", "native_lock", "raw", "handler", "stolen")
"""Victims whose processes do not report what is wrong with them."""

PLUGIN_TESTS = """
import os
import pytest
from sqlalchemy import create_engine

@pytest.mark.parametrize("treated", [True, False])
def test_worker(treated):
    engine = create_engine({url!r})
    engine.connect().close()
    pid = os.fork()
    if pid == 0:
        if treated:
            engine.dispose(close=False)
        engine.connect().close()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0

def test_sqlite_in_memory():
    engine = create_engine("sqlite://")
    engine.connect().close()
    pid = os.fork()
    if pid == 0:
        engine.connect().close()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
"""
"""A module of tests for the pytest plugin: one fails, and two pass."""

SLOW = (
    "grandchild", "handler", "idle_cut", "lazy_executor", "leader", "native_lock", "session",
    "shared_by_threads", "startup_race", "thread_fork", "two_engines",
)  # fmt: skip
"""Further victims of hazards that others stand for."""

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
)
"""Functions of victims/healthy.py."""

VICTIMS = Path(__file__).parents[1] / "doctor" / "victims"


def cases(command: bool = False) -> list[Any]:
    """Parameters of a test: hazard, row and victim; `command` for those that are tried with a command."""
    rows = {**detected.table(), **detected.lookalikes()}
    return [
        pytest.param(hazard, row, name, id=name, marks=[pytest.mark.slow] if name in SLOW else [])
        for hazard, row in rows.items()
        for name in row.victims
        if not (command and name in row.outside_only)
    ]


@contextlib.contextmanager
def victim(name: str, variant: str, url: str, python: str | Path = sys.executable) -> Iterator[int]:
    """A running victim that has reported that it is set up: the pid of the process to look at."""
    process = subprocess.Popen(
        [python, VICTIMS / f"{name}.py"],
        env={**environment(VICTIMS), "VICTIM_URL": url, "VICTIM_VARIANT": variant},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        word, *pid = process.stdout.readline().split() or [""]
        if word != "ready":
            pytest.fail(f"{name}, {variant}: was not set up")
        yield int(pid[0]) if pid else process.pid
    finally:
        end(process.pid)
        process.wait()
        process.stdout.close()


def poolstart(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def doctor(pid: int, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the report of `poolstart doctor PID --json`."""
    done = poolstart("doctor", str(pid), "--json", *options)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def observed(
    name: str, variant: str, url: str, report: Path, *options: str, python: str | Path = sys.executable
) -> dict[str, Any]:
    """The report of `poolstart doctor -- python VICTIM`; the victim is ended when it has been set up."""
    command = [sys.executable, "-c", "from harness.cli import main; main()", "doctor", "--json-file", report]
    process = subprocess.Popen(
        [*command, *options, "--", python, VICTIMS / f"{name}.py"],
        env={**environment(VICTIMS), "VICTIM_URL": url, "VICTIM_VARIANT": variant},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline().startswith("ready"):
            pytest.fail(f"{name}, {variant}: was not set up")
        time.sleep(LOOKED if name in FROM_OUTSIDE or variant == "daemon" else 0.5)
        end(process.pid, besides=process.pid)
        process.wait(60)
    finally:
        end(process.pid)
        process.wait()
        process.stdout.close()
    return json.loads(report.read_text())


def end(session: int, besides: int = 0) -> None:
    """Kill the processes of a session, but for one."""
    for pid in proc.session_members(session):
        if pid != besides:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

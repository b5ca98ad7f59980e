"""Programs for the doctor to look at: started, awaited, and ended with all their processes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.processes import proc
from harness.system.environment import environment

VICTIMS = Path(__file__).parents[1] / "doctor" / "victims"


@contextlib.contextmanager
def victim(name: str, variant: str, url: str) -> Iterator[int]:
    """A running victim that has reported that it is set up: the pid of the process to look at."""
    process = subprocess.Popen(
        [sys.executable, VICTIMS / f"{name}.py"],
        env={**environment(VICTIMS), "VICTIM_URL": url, "VICTIM_VARIANT": variant},
        stdout=subprocess.PIPE,
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
        for pid in proc.session_members(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def doctor(pid: int, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the report of `poolstart doctor PID --json`."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from harness.cli import main; main()",
            "doctor",
            str(pid),
            "--json",
            *options,
        ],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)

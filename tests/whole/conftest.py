"""The three programs that measure, started once each without a disturbance."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import POOLSTART
from tests.support.programs import Program
from tests.support.remains import Scene, scene
from tests.support.suite import Suite

HANGS = ("--strategy", "fork_nodispose", "--strategy", "forkserver")
"""A worker that waits for ever, and one whose parent is the fork server."""


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Program]:
    suite = Suite(tmp_path_factory.mktemp("suite"), real=True)
    environment = {
        "HOME": str(suite.home),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", os.path.expanduser("~/.cache/uv")),
        "POOLSTART_PROFILE": "quick",
        "POOLSTART_STRATEGIES": "fork_dispose",
        "POOLSTART_DATAFRAME_MIB": "16",
        "POOLSTART_SERVER": "embedded",
    }
    commands: dict[str, tuple[str | Path, ...]] = {
        "asv run": (*suite.command("run"), "-b", "track_startup"),
        "measure": (POOLSTART, "measure", "--dataframe", "none"),
        "hazards": (POOLSTART, "hazards", "pool_lock", *HANGS),
    }
    found = {}
    for name, command in commands.items():
        program = Program(command, suite.directory, environment)
        # asv's first run installs the release; the second takes as long as all others.
        for _ in range(2 if name == "asv run" else 1):
            began = time.monotonic()
            with scene() as here:
                run = program.start(here)
                output, _ = run.communicate(timeout=600)
                assert run.returncode == 0, output
            seconds = time.monotonic() - began
        found[name] = Program(command, suite.directory, environment, seconds, output)
    return found


@pytest.fixture
def here() -> Iterator[Scene]:
    with scene() as made:
        yield made

"""The three programs that measure, as users start them, each as small as it can be."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.remains import Scene, scene
from tests.support.suite import Suite

POOLSTART = Path(sys.executable).with_name("poolstart")

HANGS = ("--strategy", "fork_nodispose", "--strategy", "forkserver")
"""A worker that waits for ever, and one whose parent is the fork server."""

PROGRAMS = ("asv run", "measure", "hazards")


def without_figures(line: str) -> str:
    return re.sub(r"[\d.]+", "#", line)


@dataclass(frozen=True)
class Program:
    """One of them, and what it takes when nobody disturbs it."""

    command: tuple[str | Path, ...]
    directory: Path
    environment: dict[str, str]
    seconds: float = 0.0
    said: str = ""

    def says_all(self, said: str) -> bool:
        """Whether it has said its last line: the same as ever, but for its figures."""
        last = [without_figures(text.splitlines()[-1]) for text in (said, self.said) if text]
        return len(last) == 2 and last[0] == last[1]

    def start(self, here: Scene) -> "subprocess.Popen[str]":
        here.environment.update(self.environment)
        return here.start(
            *self.command,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


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
        # asv's first run installs the release, the second one takes what all others take.
        for _ in range(2 if name == "asv run" else 1):
            began = time.monotonic()
            with scene() as here:
                run = program.start(here)
                said, _ = run.communicate(timeout=600)
                assert run.returncode == 0, said
            seconds = time.monotonic() - began
        found[name] = Program(command, suite.directory, environment, seconds, said)
    return found


@pytest.fixture
def here() -> Iterator[Scene]:
    with scene() as made:
        yield made

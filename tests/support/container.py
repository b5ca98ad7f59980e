"""The compose file in projects of their own, for tests that need a container engine."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.system.environment import ROOT
from tests.support.command import POOLSTART

REQUIRE = "POOLSTART_REQUIRE_CONTAINER"
"""Environment variable: with `1`, a machine without an engine fails these tests instead of skipping them."""

DEADLINE = 600.0
"""Seconds a command of a project may take, unless it has a deadline of its own."""

# As the command line does it, without the other imports of the command line.
LOCATE = """
import sys
from harness.system.errors import PoolstartError
from harness.postgres import locate
try:
    print(locate.identity())
except PoolstartError as error:
    print(f"poolstart: {error}", file=sys.stderr)
    sys.exit(2)
"""


def without_engine(reason: str) -> None:
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{REQUIRE}=1, but {reason}", pytrace=False)
    pytest.skip(reason)


@dataclass(frozen=True)
class Project:
    """The compose file under a project name of its own, on a port the engine chooses."""

    environment: dict[str, str]
    compose_program: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)

    def having(self, **variables: str) -> "Project":
        """The same project, called with more environment variables."""
        return Project(self.environment, self.compose_program, {**self.variables, **variables})

    @property
    def whole_environment(self) -> dict[str, str]:
        return {**self.environment, **self.variables}

    def run(
        self, *command: str | Path, cwd: Path = ROOT, deadline: float = DEADLINE
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, cwd=cwd, env=self.whole_environment, capture_output=True, text=True, timeout=deadline
        )

    def must(self, *command: str) -> str:
        ran = self.run(*command)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def compose(self, *arguments: str) -> str:
        return self.must(*self.compose_program, *arguments)

    def poolstart(self, *arguments: str, deadline: float = DEADLINE) -> "subprocess.CompletedProcess[str]":
        return self.run(POOLSTART, *arguments, deadline=deadline)

    def located(self) -> "subprocess.CompletedProcess[str]":
        """Print the identity of the server that the suite would use, or the error of the command line."""
        return self.run(sys.executable, "-c", LOCATE)

    @property
    def container(self) -> str:
        return self.compose("ps", "-q")

    def remains(self) -> list[str]:
        """Containers, networks and volumes of this project."""
        label = f"label=com.docker.compose.project={self.environment['COMPOSE_PROJECT_NAME']}"
        found: list[str] = []
        for kind in ("container", "network", "volume"):
            every = ["--all"] if kind == "container" else []
            found += self.must("docker", kind, "ls", "--quiet", *every, "--filter", label).split()
        return found

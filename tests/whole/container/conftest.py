"""A real container engine for the tests of this room, and the real compose file in projects of their own."""

import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

REQUIRE = "POOLSTART_REQUIRE_CONTAINER"
"""Environment variable: with `1`, a machine without an engine fails these tests instead of skipping them."""

ENGINE_DEADLINE = 300.0
"""Seconds in which an engine and the image are there, installing and building included."""

DEADLINE = 120.0
"""Seconds any other command has."""

POOLSTART = "from harness.cli import main; main()"

# Like the command line, without what its other rooms import.
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


@pytest.fixture(scope="session")
def engine() -> Iterator[dict[str, str]]:
    """The environment that `.ci/container` gives a command: one engine for all tests of a session."""
    with tempfile.TemporaryFile("w+") as log:
        holder = subprocess.Popen(
            [ROOT / ".ci/container", "sh", "-c", "env -0 && printf 'READY\\0' && exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            # The end of its input is what ends it, should this process be killed; a signal to its
            # group would keep it from cleaning up.
            start_new_session=True,
        )
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            said, until = b"", time.monotonic() + ENGINE_DEADLINE
            while not said.endswith(b"READY\0"):
                ready, _, _ = select.select([holder.stdout], [], [], max(0, until - time.monotonic()))
                piece = os.read(holder.stdout.fileno(), 65536) if ready else b""
                if not piece:
                    break
                said += piece
            if not said.endswith(b"READY\0"):
                holder.stdin.close()
                code = holder.wait(DEADLINE)
                log.seek(0)
                lines = log.read().strip().splitlines() or [f"no answer in {ENGINE_DEADLINE:g} s"]
                if code != 69:
                    pytest.fail(f".ci/container failed: {lines[-1]}", pytrace=False)
                without_engine(lines[-1])
            yield dict(entry.split("=", 1) for entry in said.decode().split("\0")[:-2])
        finally:
            holder.stdin.close()
            holder.wait(DEADLINE)


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
        return self.run(sys.executable, "-c", POOLSTART, *arguments, deadline=deadline)

    def located(self) -> "subprocess.CompletedProcess[str]":
        """Which server the suite would use: its identity, or the error as the command line tells it."""
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


def compose_v2(engine: dict[str, str], _: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    if not engine["COMPOSE_V2"]:
        without_engine("there is no compose v2 here")
    return {"DOCKER_CONFIG": engine["COMPOSE_V2"]}, ("docker", "compose")


def compose_v1(engine: dict[str, str], folder: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    if not engine["COMPOSE_V1"]:
        without_engine("there is no compose v1 here")
    # A client that has no plugin, wherever v2 may be installed.
    client = folder / "docker"
    client.write_text(f'#!/bin/sh\n[ "$1" != compose ] && exec {shutil.which("docker")} "$@"\n')
    client.chmod(0o755)
    return {"PATH": f"{folder}:{engine['COMPOSE_V1']}:{engine['PATH']}"}, ("docker-compose",)


VERSIONS = {"v2": compose_v2, "v1": compose_v1}


@pytest.fixture
def new_project(engine: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], Project]]:
    """Makes projects for a compose version, and removes what they leave."""
    made: list[Project] = []

    def make(version: str) -> Project:
        variables, program = VERSIONS[version](engine, tmp_path)
        name = f"poolstart-test-{uuid.uuid4().hex[:8]}"
        made.append(
            Project({**engine, **variables, "COMPOSE_PROJECT_NAME": name, "POOLSTART_PG_PORT": "0"}, program)
        )
        return made[-1]

    yield make
    for project in made:
        project.compose("down", "--volumes")


@pytest.fixture(params=VERSIONS)
def project(request: pytest.FixtureRequest, new_project: Callable[[str], Project]) -> Project:
    """A project, once for each compose version."""
    return new_project(request.param)


@pytest.fixture
def any_project(engine: dict[str, str], new_project: Callable[[str], Project]) -> Project:
    """A project, for what does not depend on the compose version."""
    return new_project("v2" if engine["COMPOSE_V2"] else "v1")


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Puts a line into the test log: what was started, measured and removed is to be read there."""

    def write(text: str) -> None:
        with capsys.disabled():
            print("\n".join(f"    {line}" for line in ("", *text.strip().splitlines())), flush=True)

    return write

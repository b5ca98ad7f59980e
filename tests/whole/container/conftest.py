"""A real container engine, and projects of the real compose file."""

import os
import select
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.system.environment import ROOT
from tests.support.container import DEADLINE, Project, without_engine

ENGINE_DEADLINE = 900.0
"""Seconds for starting an engine and getting the image, including installation and build."""


@pytest.fixture(scope="session")
def engine() -> Iterator[dict[str, str]]:
    """The environment that `.ci/container` gives a command: one engine for all tests of a session."""
    with tempfile.TemporaryFile("w+") as log:
        holder = subprocess.Popen(
            [ROOT / ".ci/container", "sh", "-c", "env -0 && printf 'READY\\0' && exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            # If this process is killed, the end of its input ends it. A signal to its group would
            # prevent its cleanup.
            start_new_session=True,
        )
        try:
            output, until = b"", time.monotonic() + ENGINE_DEADLINE
            while not output.endswith(b"READY\0"):
                ready, _, _ = select.select([holder.stdout], [], [], max(0, until - time.monotonic()))
                piece = os.read(holder.stdout.fileno(), 65536) if ready else b""
                if not piece:
                    break
                output += piece
            if not output.endswith(b"READY\0"):
                holder.stdin.close()
                code = holder.wait(DEADLINE)
                log.seek(0)
                lines = log.read().strip().splitlines() or [f"no answer in {ENGINE_DEADLINE:g} s"]
                if code != 69:
                    pytest.fail(f".ci/container failed: {lines[-1]}", pytrace=False)
                without_engine(lines[-1])
            yield dict(entry.split("=", 1) for entry in output.decode().split("\0")[:-2])
        finally:
            holder.stdin.close()
            holder.wait(DEADLINE)


def compose_v2(engine: dict[str, str], _: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    if not engine["COMPOSE_V2"]:
        without_engine("there is no compose v2 here")
    return {"DOCKER_CONFIG": engine["COMPOSE_V2"]}, ("docker", "compose")


def compose_v1(engine: dict[str, str], folder: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    if not engine["COMPOSE_V1"]:
        without_engine("there is no compose v1 here")
    # A client without plugins, even if v2 is installed.
    client = folder / "docker"
    client.write_text(f'#!/bin/sh\n[ "$1" != compose ] && exec {shutil.which("docker")} "$@"\n')
    client.chmod(0o755)
    return {"PATH": f"{folder}:{engine['COMPOSE_V1']}:{engine['PATH']}"}, ("docker-compose",)


VERSIONS = {"v2": compose_v2, "v1": compose_v1}


@pytest.fixture
def new_project(engine: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], Project]]:
    """Makes projects for a version of compose, and removes their containers, networks and volumes."""
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
    """Writes to the test log, which shows what was started, measured and removed."""

    def write(text: str) -> None:
        with capsys.disabled():
            print("\n".join(f"    {line}" for line in ("", *text.strip().splitlines())), flush=True)

    return write

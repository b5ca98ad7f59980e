"""The suite itself, run by asv against the container."""

import json
import math
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from harness.system.environment import ROOT
from tests.support.container import Project

pytestmark = pytest.mark.slow

RUN_DEADLINE = 600.0
"""Seconds for one run of asv, including its environment."""

LIFECYCLES = ("--bench", "^(memory|query|startup)[.]")
"""Hazards take minutes, and have tests of their own."""

LOST = "no connection to|the server went away|terminating connection|server closed the connection"
"""The reasons of a cell that lost its server, depending on which process notices first."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout: neither its environments nor its results are touched."""
    copy = tmp_path_factory.mktemp("suite") / "poolstart"
    ignored = shutil.ignore_patterns(".git", ".venv", ".asv", "results", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=ignored)
    return copy


@pytest.fixture
def served(any_project: Project, checkout: Path) -> Project:
    """A running service, on a port that it keeps over a restart; quick profile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    project = any_project.having(
        POOLSTART_PG_PORT=str(port), POOLSTART_PROFILE="quick", HOME=str(checkout.parent)
    )
    up = project.poolstart("postgres", "up")
    assert up.returncode == 0, up.stderr
    return project


def asv_run(project: Project, checkout: Path, *arguments: str) -> "subprocess.Popen[str]":
    shutil.rmtree(checkout / "results", ignore_errors=True)
    return subprocess.Popen(
        [Path(sys.executable).with_name("asv"), "run", *arguments],
        cwd=checkout,
        env={**project.whole_environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def results(checkout: Path) -> dict[str, list[Any]]:
    """The values of every benchmark: None is a failure, NaN is not applicable."""
    # asv shortens a long name of an environment to a digest.
    (path,) = (checkout / "results").glob("*/*-*.json")
    stored = json.loads(path.read_text())
    assert stored["env_vars"]["postgres"].startswith("container-")
    return {name: result[0] for name, result in stored["results"].items()}


def test_the_quick_profile_measures_the_container(
    served: Project, checkout: Path, say: Callable[[str], None]
) -> None:
    few = served.having(POOLSTART_STRATEGIES="fork_dispose,spawn")
    with asv_run(few, checkout, *LIFECYCLES) as run:
        output, _ = run.communicate(timeout=RUN_DEADLINE)
    say(output)
    assert run.returncode == 0
    assert "failed" not in output
    measured = results(checkout)
    assert any(name.endswith("track_time_to_first_row") for name in measured)
    for name, values in measured.items():
        assert None not in values, name
        assert any(not math.isnan(value) for value in values), name


def test_a_restart_in_mid_run_fails_the_cells_it_hits_and_the_run_goes_on(
    served: Project, checkout: Path, say: Callable[[str], None]
) -> None:
    container = served.container
    with asv_run(served, checkout, "--bench", "track_startup") as run:
        wait_for_parents(served)
        served.must("docker", "restart", container)
        output, _ = run.communicate(timeout=RUN_DEADLINE)
    reasons = re.findall(r"^poolstart: failed: (.*)$", output, re.MULTILINE)
    say("\n".join(reasons))
    (values,) = results(checkout).values()
    assert None in values
    assert any(value is not None for value in values)
    assert reasons
    assert all(re.search(LOST, reason) for reason in reasons)


def wait_for_parents(project: Project) -> None:
    """Wait until two parent programs are connected: the warm-up is over, and cells are being measured."""
    parents = (
        "select count(distinct application_name) from pg_stat_activity"
        " where application_name ~ '^poolstart-[0-9a-f]{12}'"
    )
    port, until = project.variables["POOLSTART_PG_PORT"], time.monotonic() + RUN_DEADLINE
    connection = psycopg2.connect(f"postgresql://postgres:poolstart@127.0.0.1:{port}/postgres")
    connection.autocommit = True
    with closing(connection), connection.cursor() as cursor:
        count = 0
        while count < 2:
            assert time.monotonic() < until, "no two parent programs connected"
            time.sleep(0.01)
            cursor.execute(parents)
            (count,) = cursor.fetchone() or (0,)

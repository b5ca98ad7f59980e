"""The wheel in a user's environment: the doctor and its pytest plugin work, and nothing else is installed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from harness.doctor.proof.programs import VICTIMS
from harness.postgres.server import Server
from harness.processes import proc
from harness.system.environment import KEPT_OUT, ROOT

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

TEXT: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 300, "check": False}

PACKAGES = ("sqlalchemy", "psycopg2-binary")


def uv(*arguments: str | Path) -> str:
    done = subprocess.run([find_uv_bin(), *arguments], env=variables(), **TEXT)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def variables(**more: str) -> dict[str, str]:
    """Those of a user: no checkout is importable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(KEPT_OUT)}
    return {**kept, **more}


def environment(directory: Path, python: str, *packages: str | Path) -> Path:
    """The folder of the programs of a new environment."""
    uv("venv", "--quiet", "--python", python, directory)
    uv("pip", "install", "--quiet", "--python", directory / "bin" / "python", *packages)
    return directory / "bin"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    uv("build", "--quiet", "--wheel", "--out-dir", directory, ROOT)
    [path] = directory.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def user(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment(tmp_path_factory.mktemp("user") / "env", sys.executable, wheel, *PACKAGES)


@contextmanager
def running(python: Path, server: Server, *before: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """A victim that is set up, run by this Python, perhaps behind another command."""
    more = {"VICTIM_URL": server.sqlalchemy_url("wheel"), "VICTIM_VARIANT": "broken"}
    process = subprocess.Popen(
        [*before, python, VICTIMS / "fork.py"],
        env=variables(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A background job of a script ignores Ctrl-C, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready \n", process.communicate(timeout=5)
        yield process
    finally:
        for pid in proc.session_members(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=300)


def test_nothing_else_is_installed(user: Path) -> None:
    listed = json.loads(uv("pip", "list", "--format", "json", "--python", user / "python"))
    names = {package["name"] for package in listed}
    # SQLAlchemy's own.
    assert names - {"greenlet", "typing-extensions"} == {"poolstart", "sqlalchemy", "psycopg2-binary"}


def test_a_process_is_examined(user: Path, server: Server) -> None:
    with running(user / "python", server) as victim:
        command = [user / "poolstart", "doctor", str(victim.pid), "--watch", "1", "--json"]
        done = subprocess.run(command, env=variables(), **TEXT)
    assert done.returncode == 1, done.stderr
    [finding] = json.loads(done.stdout)["findings"]
    assert finding["hazard"] == "shared_socket"


def test_a_command_is_observed_until_ctrl_c(user: Path, server: Server) -> None:
    with running(user / "python", server, user / "poolstart", "doctor", "--") as doctor:
        os.killpg(doctor.pid, signal.SIGINT)
        _, report = doctor.communicate(timeout=300)
    assert "shared_socket  certain: process" in report
    assert "used        common.py:" in report


def test_the_plugin_fails_the_test_whose_worker_uses_its_parents_connection(
    wheel: Path, server: Server, tmp_path: Path
) -> None:
    user = environment(tmp_path / "env", sys.executable, wheel, *PACKAGES, "pytest")
    (tmp_path / "test_workers.py").write_text(PLUGIN_TESTS.format(url=server.sqlalchemy_url("plugin")))
    command = [user / "python", "-m", "pytest", "-p", "harness.doctor.pytest_plugin", "-rA", "-q", tmp_path]
    done = subprocess.run(command, env=variables(), cwd=tmp_path, **TEXT)
    assert "FAILED test_workers.py::test_worker[False]" in done.stdout, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "shared_socket  certain: process" in done.stdout
    assert "test_workers.py:8 test_worker" in done.stdout


def test_other_commands_name_what_to_install(user: Path) -> None:
    done = subprocess.run([user / "poolstart", "measure"], env=variables(), **TEXT)
    assert (done.returncode, done.stderr) == (
        2,
        "poolstart: only `poolstart doctor` works without typer; pip install 'poolstart[suite]'\n",
    )

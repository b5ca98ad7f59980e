"""`poolstart doctor -- COMMAND`: what its processes do is reported with the lines of the program."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cli import doctor
from harness.doctor.proof.programs import observed
from harness.postgres.server import Server
from harness.system.environment import environment
from harness.system.errors import PoolstartError
from tests.support.victims import PASTED, broken, healthy, together, unexpected

POOLSTART = (sys.executable, "-c", "from harness.cli import main; main()")
TEXT: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 300, "check": False}


def run(*arguments: str, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """`poolstart doctor -- python ARGUMENTS`, with a folder at the front of its PYTHONPATH."""
    variables = environment(*([path] if path else []))
    return subprocess.run([*POOLSTART, "doctor", "--", sys.executable, *arguments], env=variables, **TEXT)


@pytest.mark.parametrize("names", broken(without=PASTED))
def test_broken_programs_are_found(server: Server, tmp_path: Path, names: tuple[str, ...]) -> None:
    url = server.sqlalchemy_url("victim")

    def look(name: str) -> object:
        return unexpected(name, "broken", observed(name, "broken", url, tmp_path / f"{name}.json"))

    assert together(look, names) == dict.fromkeys(names, "")


@pytest.mark.parametrize("names", broken())
def test_fixed_programs_are_not_accused(server: Server, tmp_path: Path, names: tuple[str, ...]) -> None:
    url = server.sqlalchemy_url("victim")

    def look(name: str) -> object:
        return unexpected(name, "fixed", observed(name, "fixed", url, tmp_path / f"{name}.json"))

    assert together(look, names) == dict.fromkeys(names, "")


@pytest.mark.parametrize("names", healthy())
def test_healthy_programs_are_not_accused(server: Server, tmp_path: Path, names: tuple[str, ...]) -> None:
    url = server.sqlalchemy_url("victim")

    def look(name: str) -> object:
        return observed("healthy", name, url, tmp_path / f"{name}.json")["findings"]

    assert together(look, names) == {name: [] for name in names}


def test_guarded_workers_fail_at_the_line_and_their_parent_keeps_its_transaction(
    server: Server, tmp_path: Path
) -> None:
    observed("guarded", "", server.sqlalchemy_url("victim"), tmp_path / "report.json", "--guard")


@pytest.mark.parametrize(("status", "expected"), [(0, 1), (3, 3)])
def test_the_exit_status_is_the_commands_and_with_strict_a_finding_is_one_if_it_has_none(
    server: Server, status: int, expected: int
) -> None:
    """A transaction is open when the worker starts: a risk."""
    program = (
        "import multiprocessing, sqlalchemy;"
        f" connection = sqlalchemy.create_engine({server.sqlalchemy_url('victim')!r}).connect();"
        " connection.exec_driver_sql('select 1');"
        " worker = multiprocessing.get_context('fork').Process(target=int); worker.start(); worker.join();"
        f" raise SystemExit({status})"
    )
    command = ["--", sys.executable, "-c", program]
    assert subprocess.run([*POOLSTART, "doctor", *command], env=environment(), **TEXT).returncode == status
    strict = subprocess.run([*POOLSTART, "doctor", "--strict", *command], env=environment(), **TEXT)
    assert strict.returncode == expected, strict.stderr


def test_the_output_is_the_commands_and_the_report_goes_to_standard_error() -> None:
    done = run("-c", "print('of the program')")
    assert done.stdout == "of the program\n"
    assert "Nothing found" in done.stderr


def test_the_file_of_the_report_may_have_any_name(tmp_path: Path) -> None:
    file = tmp_path / "report"
    command = [*POOLSTART, "doctor", "--json-file", file, "--", "true"]
    assert subprocess.run(command, env=environment(), **TEXT).returncode == 0
    assert json.loads(file.read_text())["findings"] == []


def test_an_unknown_command_is_an_error_in_one_line() -> None:
    done = subprocess.run([*POOLSTART, "doctor", "--", "no-such-command"], env=environment(), **TEXT)
    assert done.returncode == 2
    assert done.stderr == "poolstart: no-such-command: No such file or directory; check the command\n"


def test_the_users_own_sitecustomize_is_run_as_well(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.own = __name__\n")
    done = run("-c", "import sys; print(sys.own, sys.modules['sitecustomize'].__file__)", path=tmp_path)
    assert done.stdout == f"sitecustomize {tmp_path}/sitecustomize.py\n"


def test_an_engine_takes_its_own_arguments(tmp_path: Path) -> None:
    """`create_engine` reads their names from `Engine.__init__`."""
    done = run("-c", "import sqlalchemy; print(sqlalchemy.create_engine('sqlite://', hide_parameters=True))")
    assert done.stdout == "Engine(sqlite://)\n", done.stderr


def test_an_error_of_an_observing_hook_does_not_reach_the_program(server: Server, tmp_path: Path) -> None:
    """The directory of reports is gone: nothing can be written."""
    program = (
        "import os, shutil, sqlalchemy; shutil.rmtree(os.environ['POOLSTART_DOCTOR']);"
        f" engine = sqlalchemy.create_engine({server.sqlalchemy_url('victim')!r});"
        " engine.connect().close(); pid = os.fork();"
        " engine.connect().close();"
        " print(os.waitpid(pid, 0)[1]) if pid else os._exit(0)"
    )
    done = run("-c", program)
    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "a PID or a command is missing; see `poolstart doctor --help`"),
        (
            "1 --watch 0.1",
            "argument --watch: 0.1 is not between 0.5 and 86400 seconds; see `poolstart doctor --help`",
        ),
        ("1 --wach 5", "unrecognized arguments: --wach 5; see `poolstart doctor --help`"),
        ("--explain nothing", "nothing is known about 'nothing'; known are asyncpg_loop, "),
        ("--guard 1", "--guard and --json-file are for a command; poolstart doctor -- COMMAND"),
        ("--json -- true", "--stacks, --port and --json are for a PID; poolstart doctor PID"),
    ],
)
def test_a_mistake_is_an_error_in_one_line(arguments: str, message: str) -> None:
    done = subprocess.run([*POOLSTART, "doctor", *arguments.split()], env=environment(), **TEXT)
    assert done.returncode == 2
    assert done.stderr.startswith(f"poolstart: {message}")
    assert done.stderr.count("\n") == 1


def test_on_another_system_than_linux_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    for target in (["1"], ["--", "true"]):
        with pytest.raises(PoolstartError, match="which only Linux has"):
            doctor.run(target)


def test_what_follows_two_dashes_is_the_commands() -> None:
    assert run("-c", "import sys; print(sys.argv[1:])", "--json", "--").stdout == "['--json', '--']\n"

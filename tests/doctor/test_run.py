"""`poolstart doctor -- COMMAND`: what its processes do is reported with the lines of the program."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.postgres.server import Server
from harness.system.environment import environment
from tests.support.victims import observed

POOLSTART = (sys.executable, "-c", "from harness.cli import main; main()")
TEXT: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 60, "check": False}


def run(*arguments: str, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """`poolstart doctor -- python ARGUMENTS`, with a folder at the front of its PYTHONPATH."""
    variables = environment(*([path] if path else []))
    return subprocess.run([*POOLSTART, "doctor", "--", sys.executable, *arguments], env=variables, **TEXT)


BROKEN = {
    "fork": ("shared_socket", "certain"),
    "pool": ("shared_socket", "certain"),
    "executor": ("shared_socket", "certain"),
    "forkserver": ("shared_socket", "certain"),
    "both": ("shared_socket", "certain"),
    "reading": ("shared_socket", "certain"),
    "lost": ("lost_transaction", "certain"),
    "closed": ("parent_closed", "certain"),
    "descriptor": ("reused_descriptor", "certain"),
    "pool_lock": ("pool_lock", "proven"),
    "import_lock": ("import_lock", "proven"),
    "lock": ("inherited_lock", "risk"),
    "stolen": ("interleaved", "proven"),
}
"""By victim: the hazard that is reported, and its certainty."""

RISKY = ("pool_lock",)
"""Victims whose fixed form has the conditions of the hazard: a risk is reported for them."""


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_program_is_found_out(server: Server, tmp_path: Path, name: str) -> None:
    report = observed(name, "broken", server.sqlalchemy_url("victim"), tmp_path / "report.json")
    found = [(finding["hazard"], finding["certainty"]) for finding in report["findings"]]
    assert BROKEN[name] in found, report


@pytest.mark.parametrize("name", BROKEN)
def test_the_fixed_program_is_not_accused(server: Server, tmp_path: Path, name: str) -> None:
    report = observed(name, "fixed", server.sqlalchemy_url("victim"), tmp_path / "report.json")
    certainties = [finding["certainty"] for finding in report["findings"]]
    assert certainties == (["risk"] if name in RISKY else []), report


def test_guarded_workers_fail_at_the_line_and_their_parent_keeps_its_transaction(
    server: Server, tmp_path: Path
) -> None:
    observed("guarded", "", server.sqlalchemy_url("victim"), tmp_path / "report.json", "--guard")


@pytest.mark.parametrize("status", [0, 3])
def test_the_exit_status_is_the_commands(tmp_path: Path, status: int) -> None:
    assert run("-c", f"raise SystemExit({status})").returncode == status


def test_the_output_is_the_commands_and_the_report_goes_to_standard_error() -> None:
    done = run("-c", "print('of the program')")
    assert done.stdout == "of the program\n"
    assert "Nothing found" in done.stderr


def test_an_unknown_command_is_an_error_in_one_line() -> None:
    done = subprocess.run([*POOLSTART, "doctor", "--", "no-such-command"], env=environment(), **TEXT)
    assert done.returncode == 2
    assert done.stderr == "poolstart: no-such-command: No such file or directory; check the command\n"


def test_the_users_own_sitecustomize_is_run_as_well(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.own = __name__\n")
    done = run("-c", "import sys; print(sys.own, sys.modules['sitecustomize'].__file__)", path=tmp_path)
    assert done.stdout == f"sitecustomize {tmp_path}/sitecustomize.py\n"


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

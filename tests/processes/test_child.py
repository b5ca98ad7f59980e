"""Programs that are started to be measured."""

import json
import sys
from pathlib import Path

import pytest

from harness.processes.child import Child, last_error, run_program
from harness.processes.errors import ProcessFailed, ProcessHung
from harness.processes.supervision import Supervision


def run(supervision: Supervision, program: str) -> Child:
    return Child(supervision, [sys.executable, "-c", program])


def test_a_child_has_a_directory_and_leaves_its_output_there() -> None:
    program = "import os; print(os.environ['TMPDIR'], os.getcwd(), os.getsid(0) == os.getpid())"
    with Supervision() as supervision:
        child = run(supervision, program)
        child.wait(60, "it")
        assert child.output.read_text().split() == [str(child.directory), "/", "True"]
        child.close()
        assert not child.directory.exists()


def test_a_child_that_hangs_is_killed() -> None:
    with Supervision() as supervision:
        child = run(supervision, "import time; time.sleep(600)")
        with pytest.raises(
            ProcessHung, match=r"^it hung: not done after 0\.1 s, so it was killed; try again$"
        ):
            child.wait(0.1, "it", "try again")
        assert child.process.poll() is not None


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise LookupError('no such thing')", "it failed: LookupError: no such thing"),
        ("import sys; sys.exit('bad argument')", "it failed: bad argument"),
        ("import sys; sys.exit(3)", "it failed: exit status 3"),
    ],
)
def test_a_child_that_fails_says_why(program: str, message: str) -> None:
    with Supervision() as supervision, pytest.raises(ProcessFailed, match=f"^{message}$"):
        run(supervision, program).wait(60, "it")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "no error message"),
        ("one\ntwo\n", "two"),
        ("Traceback (most recent call last):\n  x\nValueError: y\nleaked semaphores", "ValueError: y"),
        ("sqlalchemy.exc.ArgumentError: y\n(Background on this error)", "sqlalchemy.exc.ArgumentError: y"),
    ],
)
def test_the_last_exception_says_what_went_wrong(text: str, error: str) -> None:
    assert last_error(text) == error


ECHO = """
import json, os, sys
for line in sys.stdin:
    print(json.dumps({"order": line.strip(), "variable": os.environ["VARIABLE"]}))
"""


def test_a_program_reports_on_its_orders(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(ECHO)
    variables = {"VARIABLE": "x", "PYTHONPATH": str(tmp_path)}
    reports = run_program("it", "echo", [json.dumps([1]), "b"], 60, variables=variables)
    assert reports == [{"order": "[1]", "variable": "x"}, {"order": "b", "variable": "x"}]

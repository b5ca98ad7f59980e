"""`poolstart doctor` starts fast: it imports the standard library, and of poolstart little."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.doctor.proof.programs import victim
from harness.doctor.run import INSIDE
from harness.postgres.server import Server
from harness.system.environment import environment
from tests.support.pythons import interpreter

PROGRAM = """
import atexit, sys
path = sys.argv.pop(1)
sys.argv[0] = "poolstart"
@atexit.register
def write():
    # Before this module was imported: what the interpreter's start brings.
    open(path, "w").write("\\n".join(sorted(sys.modules.keys() - before)))
before = set(sys.modules)
from harness.cli import main
main()
"""

MOST = 200
"""Modules, with room for those of other versions of Python."""


def modules(tmp_path: Path, *arguments: str) -> list[str]:
    """What `poolstart ARGUMENTS` has imported in the end."""
    path = tmp_path / "modules"
    command = [sys.executable, "-c", PROGRAM, path, *arguments]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return path.read_text().splitlines()


def foreign(names: list[str]) -> set[str]:
    """Packages that are neither Python's nor of the parts of poolstart that the doctor is made of."""
    ours = ("harness.cli", "harness.doctor", "harness.processes", "harness.programs", "harness.system")
    return {
        name
        for name in names
        if name.partition(".")[0] not in sys.stdlib_module_names | {"harness"}
        or (name.startswith("harness.") and not name.startswith(ours))
    }


def test_its_help_imports_the_standard_library_alone(tmp_path: Path) -> None:
    names = modules(tmp_path, "doctor", "--help")
    assert foreign(names) == set()
    assert len(names) < MOST


def test_so_does_the_look_at_a_process_that_is_found_guilty(server: Server, tmp_path: Path) -> None:
    with victim("fork", "broken", server.sqlalchemy_url("start")) as pid:
        names = modules(tmp_path, "doctor", str(pid), "--watch", "1")
    assert foreign(names) == set()
    assert len(names) < MOST


def test_so_does_the_run_of_a_command(tmp_path: Path) -> None:
    names = modules(tmp_path, "doctor", "--", sys.executable, "-c", "")
    assert foreign(names) == set()
    assert len(names) < MOST


@pytest.mark.parametrize("path", sorted(INSIDE.glob("*.py")), ids=lambda path: path.name)
def test_what_runs_in_observed_processes_is_written_for_python_3_9(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 9))


@pytest.mark.parametrize("path", sorted(INSIDE.glob("*.py")), ids=lambda path: path.name)
def test_what_runs_in_observed_processes_imports_the_standard_library_and_sqlalchemy(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
    packages = {name.partition(".")[0] for name in imported}
    own = {"sitecustomize", "sqlalchemy", *(each.stem for each in INSIDE.glob("*.py"))}
    assert packages - own <= sys.stdlib_module_names


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.8"])
def test_older_pythons_are_left_alone(tmp_path: Path, version: str) -> None:
    python = interpreter(version)
    if not python:
        pytest.skip(f"there is no Python {version}")
    program = "import sys; print('poolstart_watch' in sys.modules)"
    variables = {**os.environ, "PYTHONPATH": str(INSIDE), "POOLSTART_DOCTOR": str(tmp_path)}
    done = subprocess.run(
        [python, "-B", "-c", program], env=variables, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def printed(program: str) -> str:
    """What a program writes that imports the modules of observed processes as these do."""
    command, environment = [sys.executable, "-c", program], {**os.environ, "PYTHONPATH": str(INSIDE)}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=300
    ).stdout


PLACES = """
import sys
import poolstart_frames as frames

def call(*files):
    inner = lambda: frames.place()
    for file, name in reversed(files):
        names = {"inner": inner}
        code = f"def {name}(): return inner()" if name != "module" else "result = inner()"
        if name == "module":
            exec(compile(code, file, "exec"), names)
            return names["result"]
        exec(compile(code, file, "exec"), names)
        inner = names[name]
    return inner()

sys.stdout.write("\\n".join([
    call((f"{sys.exec_prefix}/bin/gunicorn", "module"), ("/e/site-packages/gunicorn/arbiter.py", "spawn"),
         ("/e/site-packages/sqlalchemy/pool.py", "connect")),
    call(("/home/app/bin/server", "module"), ("/e/site-packages/gunicorn/arbiter.py", "spawn")),
    call(("/home/app/shop.py", "query"), ("/e/site-packages/sqlalchemy/pool.py", "connect")),
    call(("/e/site-packages/rq/worker.py", "work"), ("/e/site-packages/harness/doctor/hook.py", "hook")),
]))
"""


def test_a_place_is_the_users_line_or_inside_of_a_library_never_its_script() -> None:
    assert printed(PLACES).splitlines() == [
        "inside gunicorn (arbiter.py:1 spawn)",
        "server:1 <module>",
        "shop.py:1 query",
        "inside rq (worker.py:1 work)",
    ]


WITHIN = """
import poolstart_frames
called = {}
for place in ("flask_sqlalchemy", "myapp"):
    code = compile("def call(f): return f('flask_sqlalchemy')", f"/packages/{place}/engine.py", "exec")
    exec(code, called)
    print(called["call"](poolstart_frames.within))
"""


def test_a_library_is_recognized_by_the_files_of_its_functions() -> None:
    assert printed(WITHIN).split() == ["True", "False"]

"""Two processes may need the same environment at the same time."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from harness.releases import venvs

def uv(*arguments, under=""):
    print("uv", arguments[0], flush=True)
    if arguments[0] == "venv":
        home = Path(arguments[-1])
        home.mkdir()
        (home / "bin").mkdir()
        (home / "bin" / "python").touch()
        sys.stdin.readline()

venvs._uv = uv
print(venvs.python_with(["sqlalchemy==2.1.9"], Path(sys.argv[1])), flush=True)
"""


def start(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_second_waits_for_the_first_and_uses_what_that_installed(tmp_path: Path) -> None:
    home = tmp_path / "2.1.9"
    with start(home) as first:
        assert first.stdout.readline() == "uv venv\n"
        with start(home) as second:
            assert f"waiting for process {first.pid} (" in second.stderr.readline()
            installed, _ = first.communicate("\n", timeout=300)
            used, _ = second.communicate(timeout=300)
    assert installed.splitlines() == ["uv pip", str(home / "bin" / "python")]
    assert used.splitlines() == [str(home / "bin" / "python")]

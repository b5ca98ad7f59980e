"""The first command of README.md works where pip refuses to install into the system's Python."""

import re
import subprocess
from pathlib import Path

import pytest

from harness.system.environment import ROOT

SYSTEM = Path("/usr/bin/python3")
"""The interpreter of the distribution."""


def first_command() -> str:
    section = (ROOT / "README.md").read_text().partition("## Measure")[2]
    found = re.search(r"^    (.*\bpip install uv)$", section, re.MULTILINE)
    return found[1]


@pytest.mark.slow
def test_the_first_command_installs_uv_beside_an_externally_managed_python(tmp_path: Path) -> None:
    if not SYSTEM.exists() or not list(Path("/usr/lib").glob("python3*/EXTERNALLY-MANAGED")):
        pytest.skip("the system's Python is not externally managed")
    if subprocess.run([SYSTEM, "-c", "import ensurepip"], capture_output=True).returncode != 0:
        pytest.skip("no package python3-venv")
    script = f"set -e\n{first_command()}\ncommand -v uv\n"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(tmp_path / ".venv" / "bin" / "uv")

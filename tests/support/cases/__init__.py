"""Small programs that fail as programs of users do, and their runs with the fix of a page in place.

A program reads the server's URL from `URL`, prints what its user sees, and ends with status 0 if that is
right. It has parts between `# broken: NAME` and `# end`, each of which the code of a fix replaces, verbatim.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.releases.venvs import python_with
from harness.system.environment import ROOT, environment

PACKAGES = (
    "sqlalchemy[asyncio]==2.1.9",
    "psycopg2-binary==2.9.13",
    "psycopg[binary]==3.3.9",
    "psycopg-pool==3.3.3",
    "asyncpg==0.32.0",
    "pg8000==1.31.6",
    "flask-sqlalchemy==3.1.1",
    "gunicorn==27.0.1",
    "python-daemon==3.1.2",
    "apscheduler==3.11.3",
)
"""What programs need beside the packages of the harness."""

DIRECTORY = Path(__file__).parent

DEADLINE_S = 300.0

PART = re.compile(r"(?ms)^# broken: (\w+)\n(.*?)^# end\n")


def parts(name: str) -> list[str]:
    """The names of the parts of a program that a fix can replace."""
    return [part for part, _ in PART.findall((DIRECTORY / f"{name}.py").read_text())]


def text(name: str, fixed: Mapping[str, str]) -> str:
    """A program with some of its parts replaced by code. Raises KeyError if it does not have such a part."""
    if unknown := set(fixed) - set(parts(name)):
        raise KeyError(*unknown)
    source = (DIRECTORY / f"{name}.py").read_text()
    return PART.sub(lambda part: f"{fixed[part[1]]}\n" if part[1] in fixed else part[0], source)


def run(
    name: str,
    url: str,
    directory: Path,
    fixed: Mapping[str, str] | None = None,
    python: str | Path = sys.executable,
    **variables: str,
) -> "subprocess.CompletedProcess[str]":
    """Run a program as a file of its own."""
    program = directory / f"{name}.py"
    program.write_text(text(name, fixed or {}))
    return subprocess.run(
        [python, program],
        env={**environment(), "TMPDIR": str(directory), "URL": url, **variables},
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE_S,
    )


def python() -> Path:
    """An interpreter with `PACKAGES`."""
    return python_with(PACKAGES, ROOT / ".asv" / "cases")

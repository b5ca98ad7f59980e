"""An interpreter for every release: virtual environments side by side, kept on disk.

Their files are hard links into uv's cache where the disk allows it, so that all releases together take little
more than one, and bytecode is compiled when they are made: no worker pays for it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from uv import find_uv_bin

from harness.processes.supervision import Supervision
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

DIRECTORY = ".asv/releases"
"""Where they are, below the folder of asv.conf.json."""

CONSTRAINTS = ROOT / "harness" / "releases" / "constraints.txt"

DEADLINE = 600.0
"""Seconds an installation may take: a slow index, or an sdist that is built."""


def python_of(version: str, packages: Mapping[str, str], directory: Path) -> Path:
    """The interpreter of an environment with this SQLAlchemy and `packages` (name to version).

    Made when it is not there; one that was left half made, or by another interpreter, is made anew.
    """
    return python_with([f"sqlalchemy=={version}", *pins(packages)], directory / version)


def pins(packages: Mapping[str, str]) -> list[str]:
    return [f"{name}=={number}" for name, number in sorted(packages.items())]


def python_with(
    requirements: Sequence[str], home: Path, *, refresh: str = "", by: str = sys.executable
) -> Path:
    """The interpreter of an environment in `home` that holds what pip would understand by `requirements`.

    It is made `by` an interpreter: a path, or a version that uv finds or fetches. uv builds a folder anew
    only where its pyproject.toml has changed, or for the package to `refresh`.
    """
    python, done = home / "bin" / "python", home / "poolstart.txt"
    wanted = "\n".join([sys.version if by == sys.executable else by, *requirements])
    if python.exists() and done.exists() and done.read_text() == wanted:
        return python
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    _uv("venv", "--quiet", "--python", by, str(home))
    _uv(
        "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python),
        "--constraint", str(CONSTRAINTS), *requirements,
        *(["--refresh-package", refresh] if refresh else []),
    )  # fmt: skip
    done.write_text(wanted)
    return python


def _uv(*arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    with Supervision() as supervision:
        uv = supervision.start(
            [find_uv_bin(), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _, errors = uv.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            raise PoolstartError(
                f"`uv {arguments[0]}` was not done in {DEADLINE:g} s", "run it again"
            ) from None
    if uv.returncode != 0:
        told = re.sub(r"\s+", " ", errors).strip() or f"exit status {uv.returncode}"
        raise PoolstartError(
            f"`uv {' '.join(arguments[:2])}` failed: {told[:500]}",
            "see that the package index can be reached and the disk has space",
        )


def release_of(python: Path) -> str:
    """The SQLAlchemy that an interpreter imports."""
    asked = subprocess.run(
        [python, "-I", "-c", "import sqlalchemy; print(sqlalchemy.__version__)"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if asked.returncode != 0:
        told = (asked.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise PoolstartError(f"{python} cannot import SQLAlchemy: {told}", "see that what you named is one")
    return asked.stdout.strip()

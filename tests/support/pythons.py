"""The Pythons of this machine besides the one that runs the tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from harness.releases import interpreters, venvs
from harness.releases.catalogue import catalogue

VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15")

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"

REQUIRED = "POOLSTART_REQUIRE_PYTHONS"
"""Environment variable: paths of interpreters, separated by colons. Tests use these before others, and fail
if one does not run."""


def interpreter(version: str) -> str | None:
    """The path of a Python, `3.14` for example: one that is required, of pyenv, or on the search path."""
    required = {version_of(path): path for path in filter(None, os.environ.get(REQUIRED, "").split(":"))}
    if None in required:
        raise ValueError(f"{required[None]} in {REQUIRED} does not run")
    if version in required:
        return required[version]
    return next((path for path in candidates(version) if version_of(path) == version), None)


def candidates(version: str) -> Iterator[str]:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(map(str, root.glob(f"versions/{version}.*/bin/python")))
    if path := shutil.which(f"python{version}"):
        yield path


@cache
def version_of(path: str) -> str | None:
    """`3.14` of an interpreter; None if it does not run."""
    command = [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def environment_of(version: str, home: Path, *packages: str) -> Path:
    """An interpreter with the newest SQLAlchemy, psycopg2 and `packages`: an environment in `home`.

    Skips the test without a Python of this version.
    """
    by = interpreter(version)
    if by is None:
        pytest.skip(f"there is no Python {version}")
    pinned = venvs.pins({"psycopg2-binary": interpreters.pinned()["psycopg2-binary"]})
    return venvs.python_with([f"sqlalchemy=={catalogue().newest.version}", *pinned, *packages], home, by=by)

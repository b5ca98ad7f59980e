"""Environments with a changed SQLAlchemy, for the tests that must see the change and nothing else."""

import shutil
import venv
from pathlib import Path

import psycopg2
import sqlalchemy
import typing_extensions

from harness.history.sensitivity.injected import InjectedChange, inject


def environment_with(directory: Path, change: InjectedChange) -> Path:
    """The interpreter of an environment with this SQLAlchemy, changed."""
    venv.create(directory, symlinks=True)
    [packages] = directory.glob("lib/python*/site-packages")
    shutil.copytree(Path(sqlalchemy.__path__[0]), packages / "sqlalchemy")
    shutil.copy(typing_extensions.__file__, packages)
    installed = Path(psycopg2.__path__[0])
    for needed in (installed, installed.with_name("psycopg2_binary.libs")):
        shutil.copytree(needed, packages / needed.name)
    python = directory / "bin" / "python"
    inject(change, python)
    return python

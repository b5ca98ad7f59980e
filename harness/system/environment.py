"""The environment variables of the programs that are measured."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""

KEPT_OUT = ("PYTHON", "PG", "SQLALCHEMY_", "DISABLE_SQLALCHEMY_", "MALLOC_", "LD_")
"""Prefixes of variables that change what is measured. With PYTHONDONTWRITEBYTECODE, for example, every
spawned worker may compile what it imports, and takes several times as long to start."""


def environment(*importable: Path) -> dict[str, str]:
    """The variables of this process without `KEPT_OUT`, and a PYTHONPATH of the checkout and `importable`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(KEPT_OUT)}
    return {**inherited, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *importable))), "PYTHONSAFEPATH": "1"}

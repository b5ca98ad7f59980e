"""The environment of the programs that are started to be measured."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""


KEPT_OUT = ("PYTHON", "PG", "SQLALCHEMY_", "DISABLE_SQLALCHEMY_", "MALLOC_", "LD_")
"""How the names of variables begin that change what is measured: with PYTHONDONTWRITEBYTECODE, for example,
every spawned worker may compile what it imports, and starts several times as slowly."""


def environment(*importable: Path) -> dict[str, str]:
    """The environment of a started program: the caller's without `KEPT_OUT`, and this checkout importable.

    So is what else is named.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(KEPT_OUT)}
    return {**inherited, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *importable))), "PYTHONSAFEPATH": "1"}

"""The environment of the programs that are started to be measured."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""


def environment() -> dict[str, str]:
    """The environment of a parent program: the caller's, with this checkout importable and nothing else.

    The caller's PYTHON* variables stay out: with PYTHONDONTWRITEBYTECODE, for example, every spawned
    worker may compile what it imports, and starts several times as slowly.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**inherited, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}

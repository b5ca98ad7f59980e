"""The environments of the programs that are measured, one for each, kept on disk."""

from pathlib import Path

from harness.programs.measure import Program, requirements
from harness.releases.venvs import python_with
from harness.system.environment import ROOT

DIRECTORY = ROOT / ".asv" / "programs"


def python_of(program: Program) -> Path:
    """The interpreter that runs a program; its packages are fetched when it is first asked for.

    Raises `PoolstartError` where they cannot be had.
    """
    return python_with(requirements(program), DIRECTORY / program.name)

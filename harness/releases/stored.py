"""asv's results, read as they are filed.

asv passes over a file that it cannot read, and says so to nobody: a table would lack figures, or show those
of another release.
"""

from collections.abc import Iterator
from pathlib import Path

from asv.machine import Machine
from asv.results import Results
from asv.util import UserError, load_json

from harness.system import files
from harness.system.errors import PoolstartError

REMEDY = "restore it with git, or remove it and measure again"


def results(directory: Path) -> Iterator[tuple[Path, Results]]:
    """Every file of results below a directory, with its content; `PoolstartError` for a damaged one."""
    for path in sorted(directory.glob("*/*-*.json")):
        yield path, loaded(path)


def loaded(path: Path) -> Results:
    machine = path.with_name("machine.json")
    try:
        with files.understood(machine, REMEDY):
            name = load_json(str(machine), Machine.api_version)["machine"]
        with files.understood(path, REMEDY):
            return Results.load(str(path), machine_name=name)
    except UserError as error:
        raise PoolstartError(str(error).rstrip("."), REMEDY) from None

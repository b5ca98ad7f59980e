"""asv's results, read as they are filed.

asv passes over a file that it cannot read, and says so to nobody: a table would lack figures, or show those
of another release.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from asv.machine import Machine
from asv.results import Results
from asv.util import UserError, load_json
from packaging.version import Version

from harness.system import conditions, files
from harness.system.errors import PoolstartError

FIGURES = ("startup", "query", "memory", "controls")
"""The modules of benchmarks that read blocks."""

HARDWARE = ("machine", "arch", "cpu", "num_cpu", "os", "ram")
"""What a results file says of its machine, in asv's names."""

REMEDY = "restore it with git, or remove it and measure again"


def results(directory: Path) -> Iterator[tuple[Path, Results]]:
    """Every file of results below a directory, with its content; `PoolstartError` for a damaged one."""
    for path in sorted(directory.glob("*/*-*.json")):
        yield path, loaded(path)


def measured(result: Results) -> datetime | None:
    """When the last of its figures was measured; None where nothing says so.

    Counts and verdicts are added to a file later, whatever the machine has become: they are no figures.
    """
    moments = [
        moment
        for benchmark, moment in result.started_at.items()
        if moment and benchmark.partition(".")[0] in FIGURES
    ] or [moment for moment in result.started_at.values() if moment]
    return datetime.fromtimestamp(max(moments) / 1000, UTC) if moments else None


def hardware(result: Results, directory: Path) -> dict[str, str]:
    """The machine that its figures were measured on, in asv's names.

    Counts and verdicts may be added under another kernel, and asv then tells of that one: the account of the
    blocks does not change.
    """
    told = {name: str(result.params[name]) for name in HARDWARE if result.params.get(name)}
    account = conditions.load(directory / told["machine"]).get(
        (str(Version(result.commit_hash)), result.env_name)
    )
    kernel = account["facts"].get("kernel") if account else None
    return {**told, "os": f"Linux {kernel}"} if kernel else told


def loaded(path: Path) -> Results:
    machine = path.with_name("machine.json")
    try:
        with files.understood(machine, REMEDY):
            name = load_json(str(machine), Machine.api_version)["machine"]
        with files.understood(path, REMEDY):
            return Results.load(str(path), machine_name=name)
    except UserError as error:
        raise PoolstartError(str(error).rstrip("."), REMEDY) from None

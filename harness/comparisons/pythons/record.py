"""Pythons compared with the reference: interleaved pairs of workers; a row a Python."""

import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.comparisons import sides
from harness.comparisons.compare import ComparisonSettings, compare
from harness.comparisons.judge import ComparisonRow
from harness.lifecycles.plan import Report
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.records import store
from harness.records.provenance import Provenance
from harness.system.pythons import REFERENCE

PATH = store.path("pythons")

COMMAND = "poolstart record pythons"

PYTHONS = ("3.12", "3.13", "3.14")

STRATEGIES = ("fork_dispose", "forkserver_preload", "spawn")

METRICS = ("startup", "cpu_start", "time_to_first_row", "uss", "uss_collected")
"""Not `blocked`: parent and worker share a processor, and Pythons differ in which runs first."""

TOLERATE = 0.03
"""Pairs are added while an interval is wider than this."""


@dataclass(frozen=True)
class PythonRow:
    """What a worker costs under one Python, compared with the reference."""

    version: str
    """All that `sys.version` reports: the compiler matters as much."""
    reference: str
    """The same of the reference."""
    rows: tuple[ComparisonRow, ...]
    provenance: Provenance
    busy: str = ""
    """Why nothing can be concluded from the times; empty if nothing shows that the machine was busy."""


def load() -> dict[str, PythonRow]:
    """The rows on record by minor version; empty without any. Raises `PoolstartError` if they are damaged."""
    return store.load(dict[str, PythonRow], PATH, COMMAND) or {}


def save(python: str, row: PythonRow) -> None:
    """Put a row in the place of the Python's. Raises `PoolstartError` if it cannot be written."""
    rows = {**load(), python: row}
    store.write(PATH, {name: asdict(rows[name]) for name in PYTHONS if name in rows})


def pair(
    python: str, server: Server, profile: Profile, minutes: float, here: Provenance, report: Report
) -> PythonRow:
    """The row of a Python, which is installed first, from pairs of so many minutes at most."""
    both = [sides.side(name, sides.PYTHON, STRATEGIES) for name in (REFERENCE, python)]
    settings = ComparisonSettings(("none",), budget=60 * minutes, tolerate=TOLERATE, metrics=METRICS)
    found = compare(both[0], both[1], server, profile, settings, report).concluded()
    reference, version = (version_of(side.python) for side in both)
    return PythonRow(version, reference, tuple(found.rows), here, found.busy)


def version_of(python: Path) -> str:
    """What an interpreter reports as `sys.version`."""
    program = [str(python), "-I", "-c", "import sys; print(sys.version)"]
    printed = subprocess.check_output(program, text=True, stdin=subprocess.DEVNULL, timeout=60)
    return str(printed).strip()

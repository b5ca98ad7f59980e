"""The blocks of an asv run: measured once, and read by many benchmarks."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from harness.lifecycles import plan
from harness.lifecycles import profile as profiles
from harness.lifecycles.blocks import MeasuredRun
from harness.lifecycles.cell import cells_of
from harness.postgres import locate
from harness.processes import heartbeat
from harness.processes.errors import print_reasons
from harness.system import files
from harness.system.structure import structure

HISTORY = "POOLSTART_RUN_BLOCKS"
"""Environment variable, internal: a folder of runs that were measured before, one file per release."""

METADATA = "POOLSTART_RUN_CONDITIONS"
"""Environment variable, internal: the file to write the metadata of the run to."""

SAVED = "POOLSTART_RUN_SAVED"
"""Environment variable, internal: a folder like `HISTORY`, to write the run to after each block."""


def of_this_run() -> MeasuredRun:
    """The blocks of the asv run that this process belongs to, measured now unless they were before.

    Writes to standard error what could not be measured, a line for each reason.
    """
    release = metadata.version("sqlalchemy")
    folder = os.environ.get(HISTORY)
    measured = read(Path(folder), release) if folder else measure(release)
    print_reasons(
        measured.rejected.values(),
        measured.not_applicable.values(),
        measured.noisy,
        measured.warnings,
        measured.busy,
    )
    if path_of_metadata := os.environ.get(METADATA):
        files.write(Path(path_of_metadata), json.dumps(measured.metadata()))
    return measured


def measure(release: str) -> MeasuredRun:
    """Measure now; every step is a sign of progress, and every block is saved."""
    profile, folder = profiles.current(), os.environ.get(SAVED)

    def save(measured: MeasuredRun) -> None:
        if folder:
            files.write(saved(Path(folder), release), json.dumps(asdict(measured)))

    with locate.server(pooler=True, driver=True) as server:
        return plan.measure(
            cells_of(profile), server, profile, release=release, report=heartbeat.beat, on_block=save
        )


def read(folder: Path, release: str) -> MeasuredRun:
    """A run that was measured before. Raises `PoolstartError` if its file is damaged."""
    path = saved(folder, release)
    with files.reading(path, "measure the history again with `poolstart record history`"):
        return structure(MeasuredRun, json.loads(path.read_text()))


def saved(folder: Path, release: str) -> Path:
    """The file of a release's run in such a folder."""
    return folder / f"{release}.json"


def again(folder: Path) -> Mapping[str, str]:
    """Environment variables with which a benchmark process reads what another one saved before it failed.

    Empty if that was nothing.
    """
    return {HISTORY: str(folder)} if any(folder.glob("*.json")) else {}

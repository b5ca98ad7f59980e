"""The figures of fleets, the record of them, and the lines fitted to them."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from harness.records import store
from harness.records.provenance import Provenance
from harness.system.structure import structure

PATH = store.path("fleets")

PHASES = ("first_row", "collect", "read")


@dataclass(frozen=True)
class FleetFigures:
    """Fleets of one size under one strategy: a value a fleet, each of another parent."""

    strategy: str
    dataframe_mib: int
    """The size of the parent's DataFrame, 0 for none."""
    workers: int
    first: tuple[float, ...] = ()
    """Seconds from before the first start until the first worker has its row."""
    last: tuple[float, ...] = ()
    """Until the last worker has its row."""
    blocked: tuple[float, ...] = ()
    """Until the last start has returned."""
    cpu: tuple[float, ...] = ()
    """Seconds of processor time of the process tree until then; the server's is not included."""
    pss: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Bytes of the process tree by phase, proportional memory."""
    page_tables: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Bytes of the process tree by phase."""


@dataclass(frozen=True)
class FleetsTable:
    """All figures of fleets."""

    provenance: Provenance
    cells: tuple[FleetFigures, ...]
    round_trips: dict[str, int] = field(default_factory=dict)
    """Round trips to the server until a worker has its row, by strategy; they are counted, not timed."""
    later: dict[str, Provenance] = field(default_factory=dict)
    """The provenance of rows that were measured after the rest of the table, by strategy."""

    def of(self, strategy: str, dataframe_mib: int) -> list[FleetFigures]:
        """The fleets of a strategy and a DataFrame, by size."""
        found = [
            cell for cell in self.cells if (cell.strategy, cell.dataframe_mib) == (strategy, dataframe_mib)
        ]
        return sorted(found, key=lambda cell: cell.workers)

    @property
    def strategies(self) -> list[str]:
        return list(dict.fromkeys(cell.strategy for cell in self.cells))

    @property
    def dataframes(self) -> list[int]:
        """The sizes of DataFrames in MiB, 0 for none."""
        return sorted({cell.dataframe_mib for cell in self.cells})

    @property
    def largest(self) -> int:
        """The largest fleet that was measured."""
        return max(cell.workers for cell in self.cells)


@dataclass(frozen=True)
class Line:
    """`base + each * workers`, fitted to medians by least squares of relative errors."""

    base: float
    each: float
    error: float
    """The largest relative difference between the line and a median it was fitted to."""

    def at(self, workers: int) -> float:
        return self.base + self.each * workers


def fit(sizes: Sequence[int], values: Sequence[float]) -> Line:
    """The line through the values of fleets of these sizes; of one size it has no base."""
    if len(set(sizes)) < 2:
        return Line(0.0, values[0] / sizes[0], 0.0)
    rows = np.array([[1.0, size] for size in sizes]) / np.array(values)[:, None]
    (base, each), *_ = np.linalg.lstsq(rows, np.ones(len(sizes)), rcond=None)
    fitted = [(base + each * size) / value for size, value in zip(sizes, values, strict=True)]
    return Line(float(base), float(each), max(math.fabs(ratio - 1) for ratio in fitted))


def load(path: Path = PATH) -> FleetsTable | None:
    """The recorded figures; None if there are none. Raises `PoolstartError` if the file is damaged."""
    if not path.exists():
        return None
    with store.reading(path, "poolstart record fleets") as fields:
        return structure(FleetsTable, fields)


def save(table: FleetsTable, path: Path = PATH) -> None:
    store.write(path, asdict(table))


def time_of(cells: Sequence[FleetFigures], name: str) -> Line:
    """The line of `first`, `last`, `blocked` or `cpu`, in seconds."""
    return fit([cell.workers for cell in cells], [median(getattr(cell, name)) for cell in cells])


def memory_of(cells: Sequence[FleetFigures], phase: str) -> Line:
    """The line of the tree's memory in a phase, page tables included, in bytes."""
    totals = [
        median(pss + tables for pss, tables in zip(cell.pss[phase], cell.page_tables[phase], strict=True))
        for cell in cells
    ]
    return fit([cell.workers for cell in cells], totals)

"""The figures of fleets, and the record of them."""

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from harness.records import store
from harness.records.provenance import Provenance

PATH = store.path("fleets")

PHASES = ("first_row", "collect", "read")

PROCESS = "process"
"""The starter of the fleets that are measured in full; the others start the same workers."""


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
    server_cpu: tuple[float, ...] = ()
    """Seconds of the server's processor time until then; empty in an older record."""
    starter: str = PROCESS
    """What starts the workers: `harness.fleets.inside.starters`."""


@dataclass(frozen=True)
class FleetsTable:
    """All figures of fleets."""

    provenance: Provenance
    cells: tuple[FleetFigures, ...]
    round_trips: dict[str, int] = field(default_factory=dict)
    """Round trips to the server until a worker has its row, by strategy; they are counted, not timed."""
    further: tuple[Provenance, ...] = ()
    """Of further sessions, whose parents were added to the cells."""
    later: dict[str, Provenance] = field(default_factory=dict)
    """The provenance of rows that were measured after the rest of the table, by strategy."""

    def of(self, strategy: str, dataframe_mib: int, starter: str = PROCESS) -> list[FleetFigures]:
        """The fleets of a strategy and a DataFrame, by size."""
        wanted = (strategy, dataframe_mib, starter)
        found = [cell for cell in self.cells if (cell.strategy, cell.dataframe_mib, cell.starter) == wanted]
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


def load(path: Path = PATH) -> FleetsTable | None:
    """The recorded figures; None if there are none. Raises `PoolstartError` if the file is damaged."""
    return store.load(FleetsTable, path, "poolstart record fleets")


def time_of(cell: FleetFigures, name: str) -> float:
    """The median of `first`, `last`, `blocked`, `cpu` or `server_cpu`, in seconds."""
    return float(median(getattr(cell, name)))


def memory_of(cell: FleetFigures, phase: str) -> float:
    """The median memory of the tree in a phase, page tables included, in bytes."""
    return median(pss + tables for pss, tables in zip(cell.pss[phase], cell.page_tables[phase], strict=True))

"""What a fleet costs under each strategy, from the lines fitted to the measured fleets.

Data in the parent are none, or as much as was measured: what a parent that has imported pandas costs does not
grow with its data, so that two sizes say nothing about a third. A server further away adds the round trips of
a first row, which are counted.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness import strategies
from harness.fleets import figures
from harness.fleets.figures import FleetFigures, FleetsTable, Line
from harness.system.errors import PoolstartError

SIZES = {"MiB": 1, "GiB": 1024}

TIMES = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Bill:
    """The estimate for one strategy. `error` is the largest relative difference of a median from its line."""

    strategy: str
    ready: float
    """Seconds from the first start until the last worker has its row."""
    memory: float
    """Bytes of parent, helpers and workers together, page tables included, after the first row."""
    memory_collected: float
    """The same after a full garbage collection in each worker."""
    connections: int
    """Held by parent and workers while they are idle."""
    start_share: float | None
    """Start-up as a share of the lifetime of a worker that runs one task; None without a task."""
    error: float


@dataclass(frozen=True)
class BillRequest:
    """The fleet to estimate."""

    workers: int
    parent_mib: int = 0
    """Of data in the parent: a size of DataFrame that was measured."""
    distance: float = 0.0
    """Seconds of a round trip to the server, beyond that on loopback."""
    task: float | None = None
    """Seconds that each worker works before it ends."""

    def extrapolated(self, table: FleetsTable) -> list[str]:
        """Which values exceed those of the measured fleets, in words."""
        found = []
        if self.workers > table.largest:
            found.append(f"more than {table.largest} workers")
        return found


def parse(text: str, units: Mapping[str, float], example: str) -> float:
    """The value of `512MiB` or `200 ms`, in the unit of factor 1. Raises PoolstartError if malformed."""
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*", text)
    if not found or found[2] not in units:
        raise PoolstartError(
            f"{text!r} is no amount with a unit", f"write {example}; units are {', '.join(units)}"
        )
    return float(found[1]) * units[found[2]]


def bills(table: FleetsTable, request: BillRequest) -> Iterator[Bill]:
    """A bill for each measured strategy, in the order of the catalogue.

    Raises PoolstartError if nothing was measured with that much data in the parent.
    """
    if request.parent_mib not in table.dataframes:
        sizes = " and ".join(f"{mib}MiB" for mib in table.dataframes)
        raise PoolstartError(
            f"no fleet was measured with {request.parent_mib} MiB in the parent",
            f"give --parent-memory as measured: {sizes}",
        )
    for name in sorted(table.strategies, key=strategies.IDS.index):
        ready = _quantity(table, name, request, lambda cells: figures.time_of(cells, "last"))
        first = _quantity(table, name, request, lambda cells: figures.memory_of(cells, "first_row"))
        collected = _quantity(table, name, request, lambda cells: figures.memory_of(cells, "collect"))
        # A single worker, for those of a fleet wait for one another.
        alone, _ = _quantity(
            table, name, replace(request, workers=1), lambda cells: figures.time_of(cells[:1], "last")
        )
        # The workers of a fleet wait for the network at the same time.
        waiting = table.round_trips[name] * request.distance
        alone += waiting
        yield Bill(
            name,
            ready[0] + waiting,
            first[0],
            collected[0],
            connections=request.workers + 1 if strategies.get(name).pooled else 0,
            start_share=None if request.task is None else alone / (alone + request.task),
            error=max(error for _, error in (ready, first, collected)),
        )


def _quantity(
    table: FleetsTable, name: str, request: BillRequest, line_of: Callable[[Sequence[FleetFigures]], Line]
) -> tuple[float, float]:
    """The value of a line at the requested number of workers, and the error of the line."""
    line = line_of(table.of(name, request.parent_mib))
    return line.at(request.workers), line.error

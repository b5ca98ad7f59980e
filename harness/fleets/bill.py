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
    """One strategy. `error` is how far its lines are from the medians they were fitted to, at most."""

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
    """Of a worker's life that is one task, the share that its start takes; None without a task."""
    error: float


@dataclass(frozen=True)
class Asked:
    """What the bill is for."""

    workers: int
    parent_mib: int = 0
    """Of data in the parent: a size of DataFrame that was measured."""
    distance: float = 0.0
    """Seconds of a round trip to the server, beyond that on loopback."""
    task: float | None = None
    """Seconds that each worker works before it ends."""

    def extrapolated(self, table: FleetsTable) -> list[str]:
        """What lies beyond the measured fleets, in words."""
        found = []
        if self.workers > table.largest:
            found.append(f"more than {table.largest} workers")
        return found


def parse(text: str, units: Mapping[str, float], example: str) -> float:
    """`4GiB` or `200 ms`, in the unit whose factor is 1. Raises PoolstartError for anything else."""
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*", text)
    if not found or found[2] not in units:
        raise PoolstartError(
            f"{text!r} is no amount with a unit", f"write {example}; units are {', '.join(units)}"
        )
    return float(found[1]) * units[found[2]]


def bills(table: FleetsTable, asked: Asked) -> Iterator[Bill]:
    """A bill for each measured strategy, in the order of the catalogue.

    Raises PoolstartError if nothing was measured with that much data in the parent.
    """
    if asked.parent_mib not in table.dataframes:
        sizes = " and ".join(f"{mib}MiB" for mib in table.dataframes)
        raise PoolstartError(
            f"no fleet was measured with {asked.parent_mib} MiB in the parent",
            f"give --parent-memory as measured: {sizes}",
        )
    for name in sorted(table.strategies, key=strategies.IDS.index):
        ready = _quantity(table, name, asked, lambda cells: figures.time_of(cells, "last"))
        first = _quantity(table, name, asked, lambda cells: figures.memory_of(cells, "first_row"))
        collected = _quantity(table, name, asked, lambda cells: figures.memory_of(cells, "collect"))
        # A single worker, for those of a fleet wait for one another.
        alone, _ = _quantity(
            table, name, replace(asked, workers=1), lambda cells: figures.time_of(cells[:1], "last")
        )
        # The workers of a fleet wait for the network at the same time.
        waiting = table.round_trips[name] * asked.distance
        alone += waiting
        yield Bill(
            name,
            ready[0] + waiting,
            first[0],
            collected[0],
            connections=asked.workers + 1 if strategies.get(name).pooled else 0,
            start_share=None if asked.task is None else alone / (alone + asked.task),
            error=max(error for _, error in (ready, first, collected)),
        )


def _quantity(
    table: FleetsTable, name: str, asked: Asked, line_of: Callable[[Sequence[FleetFigures]], Line]
) -> tuple[float, float]:
    """The value of a line for the workers that are asked for, and how far its medians are from it."""
    line = line_of(table.of(name, asked.parent_mib))
    return line.at(asked.workers), line.error

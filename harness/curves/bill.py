"""What a fleet costs under each strategy, computed from coefficients that follow from the records.

Numbers of workers are interpolated between the measured fleets, because workers that boot an interpreter take
turns on the cores. Data in the parent cost a forked worker so much for each GiB, and others nothing. A server
further away adds the round trips of a first row, which are counted. The site computes the same from the same
coefficients (`harness/site/static/bill.js`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness import strategies
from harness.curves import sizes
from harness.curves.curve import CurveRecord
from harness.curves.sizes import DataCosts
from harness.fleets import figures
from harness.fleets.figures import FleetFigures, FleetsTable
from harness.fleets.inside.data import DATAFRAME
from harness.system.errors import PoolstartError

UNITS = {"MiB": 1.0, "GiB": 1024.0}

TIMES = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}

GIB = 2.0**30

Knots = tuple[tuple[int, float], ...]
"""Numbers of workers with the value measured there, in order."""


@dataclass(frozen=True)
class Costs:
    """The coefficients of one strategy, without data in the parent."""

    strategy: str
    pooled: bool
    forked: bool
    ready: Knots
    """Seconds until the last worker has its row."""
    memory: Knots
    """Bytes of the whole tree after the first row."""
    collected: Knots
    """Bytes of it after a full collection in each worker."""
    round_trips: int
    """Until a worker has its row."""


@dataclass(frozen=True)
class Coefficients:
    """All that a bill is computed from."""

    strategies: tuple[Costs, ...]
    data: tuple[DataCosts, ...]
    largest: int
    """The largest fleet that was measured."""
    farthest: float
    """Seconds of the longest round trip that was measured."""


@dataclass(frozen=True)
class Bill:
    """The estimate for one strategy."""

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


@dataclass(frozen=True)
class BillRequest:
    """The fleet to estimate."""

    workers: int
    parent_mib: float = 0.0
    """Of data in the parent."""
    kind: str = DATAFRAME
    """What the data are, as `harness.curves.sizes` names it."""
    distance: float = 0.0
    """Seconds of a round trip to the server, beyond that on loopback."""
    task: float | None = None
    """Seconds that each worker works before it ends."""

    def extrapolated(self, coefficients: Coefficients) -> list[str]:
        """Which values exceed those that were measured, in words."""
        found = []
        if self.workers > coefficients.largest:
            found.append(f"more than {coefficients.largest} workers")
        largest = max((data.largest for data in coefficients.data if data.kind == self.kind), default=0)
        if self.parent_mib > largest > 0:
            found.append(f"more than {largest / 1024:g} GiB of data in the parent")
        if self.distance > coefficients.farthest:
            far = f"a round trip of more than {coefficients.farthest * 1e3:g} ms"
            found.append(far if coefficients.farthest else "a server at a distance")
        return found


def parse(text: str, units: Mapping[str, float], example: str) -> float:
    """The value of `512MiB` or `200 ms`, in the unit of factor 1. Raises PoolstartError if malformed."""
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*", text)
    if not found or found[2] not in units:
        raise PoolstartError(
            f"{text!r} is no amount with a unit", f"write {example}; units are {', '.join(units)}"
        )
    return float(found[1]) * units[found[2]]


def coefficients(table: FleetsTable, curves: Mapping[str, CurveRecord]) -> Coefficients:
    """The coefficients that follow from the fleets and the curves on record."""
    distance = curves.get("distance")
    return Coefficients(
        tuple(_costs(table, name) for name in sorted(table.strategies, key=strategies.IDS.index)),
        tuple(sizes.costs(curves["sizes"])) if "sizes" in curves else (),
        table.largest,
        max((float(point.at["distance"]) for point in distance.points), default=0.0) if distance else 0.0,
    )


def _costs(table: FleetsTable, name: str) -> Costs:
    cells = table.of(name, 0)
    entry = strategies.get(name)
    return Costs(
        name,
        pooled=entry.pooled,
        forked=entry.inherits,
        ready=_knots(cells, [figures.time_of(cell, "last") for cell in cells]),
        memory=_knots(cells, [figures.memory_of(cell, "first_row") for cell in cells]),
        collected=_knots(cells, [figures.memory_of(cell, "collect") for cell in cells]),
        round_trips=table.round_trips[name],
    )


def _knots(cells: Sequence[FleetFigures], values: Sequence[float]) -> Knots:
    return tuple((cell.workers, value) for cell, value in zip(cells, values, strict=True))


def bills(known: Coefficients, request: BillRequest) -> Iterator[Bill]:
    """A bill for each measured strategy, in the order of the catalogue.

    Raises PoolstartError if nothing was measured with such data in the parent.
    """
    if request.kind not in sizes.KINDS:
        raise PoolstartError(f"{request.kind!r} is no kind of data", f"choose from {', '.join(sizes.KINDS)}")
    data = next((each for each in known.data if each.kind == request.kind), None)
    if request.parent_mib and data is None:
        kinds = ", ".join(each.kind for each in known.data)
        raise PoolstartError(
            f"no parents with data of the kind {request.kind} are on record",
            f"recorded are {kinds}" if kinds else "measure them with `poolstart record curves --only sizes`",
        )
    for costs in known.strategies:
        yield _bill(costs, data if request.parent_mib else None, request)


def _bill(costs: Costs, data: DataCosts | None, request: BillRequest) -> Bill:
    forked = request.workers if costs.forked else 0
    # The workers of a fleet wait for the network at the same time.
    ready = at(costs.ready, request.workers) + costs.round_trips * request.distance
    alone = at(costs.ready, 1) + costs.round_trips * request.distance
    memory, collected = at(costs.memory, request.workers), at(costs.collected, request.workers)
    if data:
        gib = request.parent_mib / 1024
        each = (data.fixed + data.each * gib) if costs.forked else 0.0
        ready += forked * each
        alone += each
        held = gib * GIB + data.library + data.tables * gib * (1 + forked)
        memory += held
        collected += held + forked * data.copied
    return Bill(
        costs.strategy,
        ready,
        memory,
        collected,
        connections=request.workers + 1 if costs.pooled else 0,
        start_share=None if request.task is None else alone / (alone + request.task),
    )


def at(knots: Knots, workers: int) -> float:
    """The value at a number of workers: on the line between its neighbours, beyond them on the last line."""
    if len(knots) == 1:
        ((number, value),) = knots
        return value * workers / number
    for (before, low), (after, high) in pairwise(knots):
        if workers <= after or after == knots[-1][0]:
            return low + (high - low) * (workers - before) / (after - before)
    raise AssertionError("knots are never empty")

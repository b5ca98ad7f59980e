"""What a fleet costs under each strategy, computed from coefficients that follow from the records.

Numbers of workers are interpolated between the measured fleets, because workers that boot an interpreter
take turns on the cores; so are data in the parent, which cost each forked worker time, the first one most,
and others nothing. A server further away adds the round trips of a first row, which are counted. What another
driver or a pooler changes follows from single workers (`harness.curves.factors`). The site computes the same
from these coefficients (`harness/site/static/bill.js`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from harness import drivers, strategies
from harness.curves import sizes, work
from harness.curves.curve import CurveRecord
from harness.curves.factors import Factors, WorkerFactors, load_drivers, load_poolers
from harness.curves.sizes import DataCosts
from harness.drivers import MEASURED
from harness.fleets import figures
from harness.fleets.figures import FleetFigures, FleetsTable
from harness.fleets.inside.data import DATAFRAME
from harness.system.errors import PoolstartError

UNITS = {"MiB": 1.0, "GiB": 1024.0}

TIMES = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}

GIB = 2.0**30

Knots = Sequence[tuple[float, float]]
"""Where something was measured, in order, and its value there."""


@dataclass(frozen=True)
class Costs:
    """The coefficients of one strategy, without data in the parent."""

    strategy: str
    pooled: bool
    forked: bool
    ready: Knots
    """Workers, and seconds until the last one has its row."""
    memory: Knots
    """Workers, and bytes of the whole tree after the first row."""
    collected: Knots
    """Workers, and bytes of it after a full collection in each."""
    round_trips: int
    """Until a worker has its row."""
    life: float
    """Seconds that a worker lives beyond its tasks: its start and, where that was measured, its end."""


@dataclass(frozen=True)
class Coefficients:
    """All that a bill is computed from."""

    strategies: tuple[Costs, ...]
    data: tuple[DataCosts, ...]
    largest: int
    """The largest fleet that was measured."""
    farthest: float
    """Seconds of the longest round trip that was measured."""
    machine: str = ""
    """On which the fleets were measured."""
    machines: Mapping[str, str] = field(default_factory=dict)
    """Those of the curves, by name."""
    cores: int = 1
    """Processors of that machine."""
    drivers: Factors = field(default_factory=dict)
    """To the reference driver."""
    poolers: Factors = field(default_factory=dict)
    """To the same driver without a pooler."""


@dataclass(frozen=True)
class Bill:
    """The estimate for one strategy."""

    strategy: str
    ready: float
    """Seconds from the first start until the last worker has its row."""
    memory: float
    """Bytes of parent, helpers and workers together, page tables included, after the first row."""
    memory_collected: float | None
    """The same after a full garbage collection in each worker; None if not measured with this driver."""
    connections: int
    """Held by parent and workers while they are idle."""
    start_share: float | None
    """Start and end as a share of the life of a worker with these tasks; None without a task."""
    long_enough: float
    """Seconds of work from which on that share is less than 1 %."""


@dataclass(frozen=True)
class BillRequest:
    """The fleet to estimate."""

    workers: int
    parent_mib: float = 0.0
    """Of data in the parent."""
    kind: str = DATAFRAME
    """What the data are, as `harness.curves.sizes` names it."""
    distance: float = 0.0
    """Seconds of a round trip to the server, or to the pooler, beyond that on loopback."""
    task: float | None = None
    """Seconds of a worker's task."""
    tasks: int = 1
    """That a worker runs before it ends."""
    driver: str = MEASURED.name
    pooler: bool = False
    """Whether PgBouncer is in front of the server, in transaction mode."""

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

    def elsewhere(self, coefficients: Coefficients) -> str:
        """A sentence that names what was not measured on the machine of the fleets; empty if all was."""
        used = [("the life of a worker", coefficients.machines.get("work"))]
        if self.parent_mib:
            used.append(("data in the parent", coefficients.machines.get("sizes")))
        sources = {
            "the driver": coefficients.drivers,
            "the pooler": coefficients.poolers if self.pooler else {},
        }
        for what, factors in sources.items():
            used += sorted({(what, each.machine) for each in factors.get(self.driver, {}).values()})
        others = [
            f"{what} ({machine})" for what, machine in used if machine not in (None, "", coefficients.machine)
        ]
        return f"Measured on another machine than the fleets: {', '.join(others)}." if others else ""

    def unmeasured(self, coefficients: Coefficients) -> list[str]:
        """The strategies of which nothing is known with this driver, or behind a pooler."""
        return [
            costs.strategy for costs in coefficients.strategies if not _factors(coefficients, self, costs)
        ]


def parse(text: str, units: Mapping[str, float], example: str) -> float:
    """The value of `512MiB` or `200 ms`, in the unit of factor 1. Raises PoolstartError if malformed."""
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*", text)
    if not found or found[2] not in units:
        raise PoolstartError(
            f"{text!r} is no amount with a unit", f"write {example}; units are {', '.join(units)}"
        )
    return float(found[1]) * units[found[2]]


def coefficients(
    table: FleetsTable,
    curves: Mapping[str, CurveRecord],
    by_driver: Factors | None = None,
    behind_poolers: Factors | None = None,
) -> Coefficients:
    """The coefficients that follow from fleets and curves on record, beside those of drivers and poolers."""
    distance = curves.get("distance")
    return Coefficients(
        tuple(
            _costs(table, name, curves.get("work"))
            for name in sorted(table.strategies, key=strategies.IDS.index)
        ),
        tuple(sizes.costs(curves["sizes"])) if "sizes" in curves else (),
        table.largest,
        max((float(point.at["distance"]) for point in distance.points), default=0.0) if distance else 0.0,
        table.provenance.machine,
        {name: record.provenance.machine for name, record in curves.items()},
        table.provenance.cores,
        by_driver or {},
        behind_poolers or {},
    )


def on_record(table: FleetsTable, curves: Mapping[str, CurveRecord]) -> Coefficients:
    """The coefficients of these fleets and curves, and of drivers and poolers on record.

    Raises `PoolstartError` if a record is damaged.
    """
    return coefficients(table, curves, load_drivers(), load_poolers())


def _costs(table: FleetsTable, name: str, worked: CurveRecord | None) -> Costs:
    cells = table.of(name, 0)
    entry = strategies.get(name)
    ready = _knots(cells, [figures.time_of(cell, "last") for cell in cells])
    lived = worked and worked.where(strategy=name, task=work.TASKS[0])
    return Costs(
        name,
        pooled=entry.pooled,
        forked=entry.inherits,
        ready=ready,
        memory=_knots(cells, [figures.memory_of(cell, "first_row") for cell in cells]),
        collected=_knots(cells, [figures.memory_of(cell, "collect") for cell in cells]),
        round_trips=table.round_trips[name],
        life=work.overhead(worked, name) if worked and lived else at(ready, 1),
    )


def _knots(cells: Sequence[FleetFigures], values: Sequence[float]) -> Knots:
    return tuple((cell.workers, value) for cell, value in zip(cells, values, strict=True))


def bills(known: Coefficients, request: BillRequest) -> Iterator[Bill]:
    """A bill for each strategy that was measured like that, in the order of the catalogue.

    Raises PoolstartError if there is no such driver, or nothing was measured with such data in the parent.
    """
    drivers.get(request.driver)
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
        if found := _factors(known, request, costs):
            yield _bill(costs, data if request.parent_mib else None, request, found, known.cores)


def _factors(known: Coefficients, request: BillRequest, costs: Costs) -> WorkerFactors | None:
    """What driver and pooler change for a strategy; None if that was not measured."""
    found: WorkerFactors | None = WorkerFactors(1.0, 0.0, 0.0, 0.0, 0.0, costs.round_trips)
    if request.driver != MEASURED.name:
        found = known.drivers.get(request.driver, {}).get(costs.strategy)
    if found and request.pooler:
        behind = known.poolers.get(request.driver, {}).get(costs.strategy)
        found = behind and replace(found, saved=behind.saved, round_trips=behind.round_trips)
    return found


def _bill(
    costs: Costs, data: DataCosts | None, request: BillRequest, found: WorkerFactors, cores: int
) -> Bill:
    workers, forked = request.workers, request.workers if costs.forked else 0
    # The workers of a fleet wait for the network at the same time.
    far = found.round_trips * request.distance
    # While there is a processor for each, workers wait for a server that starts one session after another.
    saved = found.saved * max(min(workers, cores), workers / cores)
    ready = at(costs.ready, workers) * found.ratio + found.once - saved + far
    life = costs.life * found.ratio - found.saved + far
    memory = at(costs.memory, workers) + workers * found.memory + found.memory_once
    collected = at(costs.collected, workers) if request.driver == MEASURED.name else None
    if data:
        gib = request.parent_mib / 1024
        each = at(data.fork, gib) if costs.forked else 0.0
        ready += forked * each + (at(data.once, gib) if costs.forked else 0.0)
        life += each
        held = gib * GIB + data.library + data.tables * gib * (1 + forked)
        memory += held
        if collected is not None:
            collected += held + forked * data.copied
    return Bill(
        costs.strategy,
        ready,
        memory,
        collected,
        connections=workers + 1 if costs.pooled else 0,
        start_share=None if request.task is None else life / (life + request.task * request.tasks),
        long_enough=work.long_enough(life),
    )


def at(knots: Knots, where: float) -> float:
    """The value somewhere: on the line between its neighbours, beyond them on the last line."""
    if len(knots) == 1:
        ((number, value),) = knots
        return value * where / number
    for (before, low), (after, high) in pairwise(knots):
        if where <= after or after == knots[-1][0]:
            return low + (high - low) * (where - before) / (after - before)
    raise AssertionError("knots are never empty")

"""What another driver and a pooler change for a worker: by which factor a bill differs with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from harness.drivers import MEASURED
from harness.poolers import figures
from harness.poolers.figures import PoolersRecord, versions
from harness.records import store

DRIVERS = store.path("drivers")

FIRST_ROW, UNIQUE, TRIPS = "time_to_first_row", "uss", "round_trips_first_query"
"""The figures of drivers that a bill needs."""

POOLS = {"fork_dispose": "QueuePool", "nullpool": "NullPool"}
"""The strategies whose workers were measured behind a pooler, and how that record calls their pools."""

ROUTE = "transaction"
"""The pooler's mode."""


@dataclass(frozen=True)
class WorkerFactors:
    """A worker of one strategy, next to the same one with the reference driver and no pooler."""

    time: float
    """Factor of the time until it has its first row."""
    memory: float
    """Bytes more for each worker."""
    round_trips: int
    """Until it has its first row."""


Factors = dict[str, dict[str, WorkerFactors]]
"""By driver and strategy."""


def of_drivers(rows: Mapping[str, Any]) -> Factors:
    """The factors of the drivers that were compared in pairs, but for those of a busy machine.

    `rows` are those of the record as JSON has them: what makes objects of them imports what measures, which
    takes longer than a bill.
    """
    found: Factors = {}
    for name, row in rows.items():
        if row.get("busy") or name == MEASURED.name:
            continue
        measured = {(each["metric"], each["strategy"]): each for each in row.get("rows", ())}
        for strategy, counts in row["counts"].items():
            first, unique = measured.get((FIRST_ROW, strategy)), measured.get((UNIQUE, strategy))
            if first and unique:
                found.setdefault(name, {})[strategy] = WorkerFactors(
                    first["ratio"], unique["second"] - unique["first"], counts[TRIPS]
                )
    return found


def load_drivers(path: Path = DRIVERS) -> Factors:
    """The factors of the drivers on record. Raises `PoolstartError` if the file is damaged."""
    if not path.exists():
        return {}
    with store.reading(path, "poolstart record drivers") as rows:
        return of_drivers(rows)


def load_poolers(path: Path = figures.PATH) -> Factors:
    """The factors of poolers on record. Raises `PoolstartError` if the file is damaged."""
    return of_poolers(figures.load(path))


def of_poolers(record: PoolersRecord | None) -> Factors:
    """The factors of the PgBouncer that was measured last, to the same driver without it.

    A single worker is faster behind it, as it finds sessions that PgBouncer has opened. For a fleet that
    starts together it has to open them, so no fleet is faster (`harness.curves.predictions.VariedCurve`).
    """
    found: Factors = {}
    if not record or not record.times:
        return found
    newest = max(versions(record.times).values(), key=lambda times: times.provenance.date)
    for row in newest.rows:
        for strategy, pool in POOLS.items():
            if (row.pool, row.route) == (pool, ROUTE) and row.first_ratio:
                found.setdefault(row.driver, {})[strategy] = WorkerFactors(
                    max(1.0, median(row.first_ratio)), 0.0, row.trips[0]
                )
    return found

"""What another driver and a pooler change for a worker, and so for a fleet."""

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

FIRST_ROW, CPU, UNIQUE, TRIPS = "time_to_first_row", "cpu_first_row", "uss", "round_trips_first_query"
"""The figures of drivers that a bill needs."""

SERVED, BOOTED = "forkserver_preload", "spawn"
"""A fork server imports what each spawned worker imports, and so does a parent."""

POOLS = {"fork_dispose": "QueuePool", "nullpool": "NullPool"}
"""The strategies whose workers were measured behind a pooler, and how that record calls their pools."""

ROUTE = "transaction"
"""The pooler's mode."""


@dataclass(frozen=True)
class WorkerFactors:
    """A worker of one strategy, next to the same one with the reference driver and no pooler."""

    ratio: float
    """Factor of the time until it has its first row, and so until all of a fleet have theirs."""
    once: float
    """Seconds more until a fork server is there, which has imported the driver."""
    saved: float
    """Seconds less until its first row behind a pooler, which has a session ready for it. It ran on one
    processor together with server and pooler, so this is processor time, which the workers of a fleet save
    on all processors at once."""
    memory: float
    """Bytes more for each worker."""
    memory_once: float
    """Bytes more for the parent, which has imported the driver, and for a fork server that has, too."""
    round_trips: int
    """Until it has its first row."""
    machine: str = ""
    """On which it was measured."""


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
        more = {key: each["second"] - each["first"] for key, each in measured.items()}
        for strategy, counts in row["counts"].items():
            first, cpu, unique = ((metric, strategy) for metric in (FIRST_ROW, CPU, UNIQUE))
            if {first, cpu, unique} <= more.keys():
                served = strategy == SERVED
                once = more.get((CPU, BOOTED), 0.0) - more[cpu] if served else 0.0
                found.setdefault(name, {})[strategy] = WorkerFactors(
                    ratio=measured[first]["ratio"],
                    once=max(0.0, once),
                    saved=0.0,
                    memory=more[unique],
                    memory_once=(1 + served) * more.get((UNIQUE, BOOTED), 0.0),
                    round_trips=counts[TRIPS],
                    machine=row.get("provenance", {}).get("machine", ""),
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
    """The factors of the PgBouncer that was measured last, to the same driver without it."""
    found: Factors = {}
    if not record or not record.times:
        return found
    newest = max(versions(record.times).values(), key=lambda times: times.provenance.date)
    for row in newest.rows:
        for strategy, pool in POOLS.items():
            if (row.pool, row.route) == (pool, ROUTE) and row.first_ratio:
                saved = median(row.first_row) * (1 / median(row.first_ratio) - 1)
                found.setdefault(row.driver, {})[strategy] = WorkerFactors(
                    1.0, 0.0, saved, 0.0, 0.0, row.trips[0], newest.provenance.machine
                )
    return found

"""The record of poolers: outcomes of trials, and times, for each version of PgBouncer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.poolers.things import WORKS
from harness.records import store
from harness.records.provenance import Provenance
from harness.system import pythons

T = TypeVar("T")

PATH = store.path("poolers")


@dataclass(frozen=True)
class PoolerOutcome:
    """What came of one way to use a thing (`harness.poolers.things`)."""

    thing: str
    way: str
    route: str
    pool: str
    driver: str
    outcomes: dict[str, int]
    """How often each outcome came of it, in words; empty if this PgBouncer does not have the way."""

    @property
    def text(self) -> str:
        """The outcome; several, joined, if repetitions differed."""
        return " or ".join(self.outcomes)

    @property
    def works(self) -> bool:
        return set(self.outcomes) == {WORKS}


@dataclass(frozen=True)
class PoolerTrials:
    """All outcomes of one version of PgBouncer."""

    provenance: Provenance
    drivers: dict[str, str]
    """The version of each driver."""
    repeats: int
    rows: tuple[PoolerOutcome, ...]

    def find(self, thing: str, way: str, route: str, pool: str, driver: str) -> PoolerOutcome | None:
        """The outcome of this trial; None if it is not on record."""
        wanted = (thing, way, route, pool, driver)
        for row in self.rows:
            if (row.thing, row.way, row.route, row.pool, row.driver) == wanted:
                return row
        return None


@dataclass(frozen=True)
class RouteFigures:
    """The workers of one driver and pool over one route; a value a parent, times in seconds."""

    driver: str
    pool: str
    route: str
    first_row: tuple[float, ...] = ()
    """From `Process.start()` until the worker has its first row."""
    next_row: tuple[float, ...] = ()
    """From there until a second checkout has its row."""
    first_ratio: tuple[float, ...] = ()
    """To the direct route, of workers that were neighbours in time."""
    next_ratio: tuple[float, ...] = ()
    trips: tuple[int, int] = (0, 0)
    """Round trips of the client until its first row, and from there until the second; counted, not timed."""
    held: tuple[int, int] = (0, 0)
    """Sessions of the server that `WORKERS` idle workers keep, and that they use at a time."""


@dataclass(frozen=True)
class PoolerTimes:
    """All figures of one version of PgBouncer."""

    provenance: Provenance
    drivers: dict[str, str]
    parents: int
    """Parents of each driver and pool, which is the number of samples."""
    workers: int
    """Workers of each parent, over each route."""
    rows: tuple[RouteFigures, ...]


@dataclass(frozen=True)
class PoolersRecord:
    """By version of PgBouncer, with the Python unless it is the reference: `1.26.1 3.14`."""

    trials: dict[str, PoolerTrials] = field(default_factory=dict)
    times: dict[str, PoolerTimes] = field(default_factory=dict)


def load(path: Path = PATH) -> PoolersRecord | None:
    """The record; None if there is none. Raises `PoolstartError` if the file is damaged."""
    return store.load(PoolersRecord, path, "poolstart record poolers")


def name(version: str, python: str) -> str:
    """How the record calls what was measured with a PgBouncer, under a minor version of Python."""
    return version if python == pythons.REFERENCE else f"{version} {python}"


def versions(known: Mapping[str, T], python: str = pythons.REFERENCE) -> dict[str, T]:
    """What was measured under a Python, by version of PgBouncer, the oldest first."""
    found = [version for each in known if each == name(version := each.partition(" ")[0], python)]
    found.sort(key=lambda version: [int(part) for part in version.split(".") if part.isdigit()])
    return {version: known[name(version, python)] for version in found}


def further_pythons(known: Mapping[str, T]) -> list[str]:
    """The Pythons besides the reference under which something was measured."""
    return sorted({python for each in known if (python := each.partition(" ")[2])})


def by_text(rows: Sequence[PoolerOutcome]) -> Iterator[tuple[str, list[PoolerOutcome]]]:
    """Rows by their outcome, in their order."""
    for text in dict.fromkeys(row.text for row in rows):
        yield text, [row for row in rows if row.text == text]

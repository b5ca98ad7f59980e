"""What is on record for one driver behind PgBouncer in one mode: sentences for the site and the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from math import exp
from statistics import median
from typing import Protocol, TypeVar

from harness.comparisons.judge import paired_test
from harness.console import markdown
from harness.console.numbers import digits
from harness.drivers import Driver
from harness.poolers import things
from harness.poolers.figures import PoolersRecord, PoolerTimes, PoolerTrials, RouteFigures, versions
from harness.poolers.things import DIRECT, TRANSACTION, Thing
from harness.records.provenance import Provenance
from harness.system import pythons

POOL = "NullPool"
"""The pool of the code to copy: the pooler keeps the connections."""


class Part(Protocol):
    """The part of the record about one PgBouncer: trials or times."""

    @property
    def provenance(self) -> Provenance: ...
    @property
    def drivers(self) -> dict[str, str]: ...


Recorded = TypeVar("Recorded", bound=Part)


def sentences(record: PoolersRecord | None, driver: Driver, python: str, mode: str) -> list[str]:
    """What breaks, what works and what it costs behind the newest PgBouncer; another Python is named."""
    trials = newest_with(record.trials, driver) if record else None
    times = newest_with(record.times, driver) if record else None
    if not record or not trials:
        return [f"PgBouncer in {mode} mode with {driver.title}: not tried."]
    version, tried = trials
    tried_under = pythons.minor(tried.provenance.python)
    found = []
    if tried_under != python:
        found.append(
            f"Not tried: PgBouncer with {driver.title} under Python {python}. What follows was tried and"
            f" measured under Python {tried_under}."
        )
    where = f"PgBouncer {version} in {mode} mode, {driver.title} under Python {tried_under}"
    if mode == TRANSACTION and (text := prepared(record, driver)):
        found.append(f"{where}: {text}")
    if broken := list(broken_things(tried, driver, mode)):
        found.append(f"{where}, without a pool in the program, does not keep: {'; '.join(broken)}.")
    if text := inherited(tried, driver, mode):
        found.append(f"{where}: {text}.")
    if not times:
        return [*found, f"What PgBouncer costs with {driver.title}: not measured."]
    version, measured = times
    return [*found, cost(version, measured, driver, mode)]


def newest_with(parts: Mapping[str, Recorded], driver: Driver) -> tuple[str, Recorded] | None:
    """The newest PgBouncer that was tried with a driver, and its part of the record."""
    known = [version for version in versions(parts) if driver.name in parts[version].drivers]
    return (known[-1], parts[known[-1]]) if known else None


def prepared(record: PoolersRecord, driver: Driver) -> str:
    """Whether what the driver prepares works in transaction mode; empty if it was not tried."""
    default = outcomes(record, driver, "default")
    if not default:
        return ""
    if not driver.behind_pooler:
        return f"statements that the driver prepares: {default}."
    given = outcomes(record, driver, "none")
    return f"statements that the driver prepares, with {driver.behind_pooler}: {given}; without: {default}."


def outcomes(record: PoolersRecord, driver: Driver, way: str) -> str:
    """What came of a way to prepare statements, with the versions of PgBouncer if they differ."""
    by_text: dict[str, list[str]] = {}
    for version in versions(record.trials):
        row = record.trials[version].find("numbered", way, TRANSACTION, POOL, driver.name)
        if row and row.outcomes:
            by_text.setdefault(row.text, []).append(version)
    if len(by_text) == 1:
        return next(iter(by_text))
    return ", ".join(f"{text} (PgBouncer {' and '.join(tried)})" for text, tried in by_text.items())


def broken_things(tried: PoolerTrials, driver: Driver, mode: str) -> Iterator[str]:
    """What does not work as usual, each with its outcome and the first way that works."""
    for thing in things.THINGS:
        usual = tried.find(thing.id, thing.ways[0].id, mode, POOL, driver.name)
        if thing.everywhere or thing.prepared or usual is None or usual.works:
            continue
        instead = working_way(tried, thing, driver, mode)
        yield markdown.plain(f"{thing.title} ({usual.text}{instead and f'; works: {instead}'})")


def working_way(tried: PoolerTrials, thing: Thing, driver: Driver, mode: str) -> str:
    """The first way in the catalogue that works; empty without any."""
    for way in thing.ways:
        row = tried.find(thing.id, way.id, mode, POOL, driver.name)
        if row and row.works:
            return way.title
    return ""


def inherited(tried: PoolerTrials, driver: Driver, mode: str) -> str:
    """What came of connections that forked workers inherit."""
    rows = [
        (thing, way, row)
        for thing in things.THINGS
        if thing.everywhere
        for way in thing.ways
        if (row := tried.find(thing.id, way.id, mode, thing.pools[0], driver.name))
    ]
    texts = [f"{thing.title}, {way.title}: {row.text}" for thing, way, row in rows]
    return markdown.plain("; ".join(texts))


def cost(version: str, measured: PoolerTimes, driver: Driver, mode: str) -> str:
    """What a worker without a pool costs, compared with the direct route."""
    rows = by_place(measured, driver.name)
    direct, behind = rows[POOL, DIRECT], rows[POOL, mode]
    factor = exp(paired_test(behind.first_ratio)[0])
    python = pythons.minor(measured.provenance.python)
    return (
        f"Measured behind PgBouncer {version} in {mode} mode, {driver.title} under Python {python}, without a"
        f" pool: the first row takes {factor:.2f} times as long as directly, and each further query"
        f" {ms(behind.next_row)} ms instead of {ms(direct.next_row)} ms."
    )


def by_place(measured: PoolerTimes, driver: str) -> dict[tuple[str, str], RouteFigures]:
    """The figures of a driver, by pool and route."""
    return {(row.pool, row.route): row for row in measured.rows if row.driver == driver}


def ms(values: Sequence[float]) -> str:
    """The median of seconds, in milliseconds."""
    return digits(median(values) * 1e3)

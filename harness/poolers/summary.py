"""What is on record for one driver behind PgBouncer in one mode: sentences for the site and the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from math import exp
from statistics import median
from typing import TypeVar

from harness.comparisons.judge import paired_test
from harness.console import markdown
from harness.console.numbers import digits
from harness.drivers import Driver
from harness.poolers import things
from harness.poolers.cells import short
from harness.poolers.figures import PoolersRecord, PoolerTimes, PoolerTrials, RouteFigures, versions
from harness.poolers.things import DIRECT, TRANSACTION
from harness.system import pythons

POOL = "NullPool"
"""The pool of the code to copy: the pooler keeps the connections."""

Part = TypeVar("Part", PoolerTrials, PoolerTimes)


def sentences(record: PoolersRecord | None, driver: Driver, python: str, mode: str) -> list[str]:
    """What breaks, what works instead and what it costs behind the newest PgBouncer.

    Without trials or times under this Python, those under the reference are shown, and named.
    """
    trials = newest_with(record.trials, driver, python) if record else None
    times = newest_with(record.times, driver, python) if record else None
    if not record or not trials:
        return [f"PgBouncer in {mode} mode with {driver.title}: not tried."]
    version, tried = trials
    where = place(version, tried, driver, mode)
    found = [other_python(tried, python, "tried")]
    if mode == TRANSACTION and driver.behind_pooler:
        given, default = (outcomes(record, tried, driver, way) for way in ("none", "default"))
        found.append(
            f"{where}: prepared statements with {driver.behind_pooler}: {given}; without: {default}."
        )
    if broken := ", ".join(broken_things(tried, driver, mode)):
        found.append(f"{where} breaks {broken}.")
    if times:
        version, measured = times
        found += [other_python(measured, python, "measured"), cost(version, measured, driver, mode)]
    else:
        found.append(f"What PgBouncer costs with {driver.title}: not measured.")
    return [sentence for sentence in found if sentence]


def newest_with(parts: Mapping[str, Part], driver: Driver, python: str) -> tuple[str, Part] | None:
    """The newest PgBouncer that was tried with a driver, and its part of the record."""
    for minor in (python, pythons.REFERENCE):
        for version, part in reversed(versions(parts, minor).items()):
            if driver.name in part.drivers:
                return version, part
    return None


def place(version: str, part: PoolerTrials | PoolerTimes, driver: Driver, mode: str) -> str:
    python = pythons.minor(part.provenance.python)
    return f"PgBouncer {version} in {mode} mode with {driver.title} under Python {python}"


def other_python(part: PoolerTrials | PoolerTimes, python: str, done: str) -> str:
    """A sentence if a part of the record was measured under another Python; empty otherwise."""
    return "" if pythons.minor(part.provenance.python) == python else f"Not {done} under Python {python}."


def outcomes(record: PoolersRecord, tried: PoolerTrials, driver: Driver, way: str) -> str:
    """What came of a way to prepare statements, with the versions of PgBouncer if they differ."""
    by_text: dict[str, list[str]] = {}
    for version, trials in versions(record.trials, pythons.minor(tried.provenance.python)).items():
        row = trials.find("numbered", way, TRANSACTION, POOL, driver.name)
        if row and row.outcomes:
            by_text.setdefault(short(row.text), []).append(version)
    if len(by_text) == 1:
        return next(iter(by_text))
    return ", ".join(f"{text} (PgBouncer {' and '.join(tried)})" for text, tried in by_text.items())


def broken_things(tried: PoolerTrials, driver: Driver, mode: str) -> Iterator[str]:
    """What does not work as usual, each with the first way that works."""
    for thing in things.THINGS:
        rows = [(way, tried.find(thing.id, way.id, mode, thing.pools[-1], driver.name)) for way in thing.ways]
        _, usual = rows[0]
        if thing.prepared or not usual or usual.works:
            continue
        instead = next((f" (works: {way.title})" for way, row in rows if row and row.works), "")
        yield markdown.plain(f"{thing.title}{instead}")


def cost(version: str, measured: PoolerTimes, driver: Driver, mode: str) -> str:
    """What a worker without a pool costs, compared with the direct route."""
    rows = by_place(measured, driver.name)
    direct, behind = rows[POOL, DIRECT], rows[POOL, mode]
    factor = exp(paired_test(behind.first_ratio)[0])
    return (
        f"{place(version, measured, driver, mode)}, without a pool in the program: the first row takes"
        f" {factor:.2f} times as long as directly, each further query {ms(behind.next_row)} ms instead of"
        f" {ms(direct.next_row)} ms."
    )


def by_place(measured: PoolerTimes, driver: str) -> dict[tuple[str, str], RouteFigures]:
    """The figures of a driver, by pool and route."""
    return {(row.pool, row.route): row for row in measured.rows if row.driver == driver}


def ms(values: Sequence[float]) -> str:
    """The median of seconds, in milliseconds."""
    return digits(median(values) * 1e3)

"""The generated page `docs/poolers.md`."""

from collections.abc import Sequence
from math import exp
from statistics import median

from harness import drivers
from harness.comparisons.judge import paired_test
from harness.console import markdown
from harness.console.numbers import digits
from harness.lifecycles import intervals
from harness.poolers import things, times
from harness.poolers.figures import (
    PoolerOutcome,
    PoolersRecord,
    PoolerTimes,
    PoolerTrials,
    RouteFigures,
    by_text,
    versions,
)
from harness.poolers.things import DIRECT, ROUTES, SESSION, TRANSACTION, Thing, Way

INTRODUCTION = """\
# Poolers: PgBouncer between workers and server

PgBouncer lends sessions of the server to its clients: in session mode until the client disconnects, in
transaction mode for one transaction. `poolstart record poolers` starts PgBouncer in front of the embedded
server, and tries with real clients what a session keeps for them. In each trial two clients take turns on
purpose, so that no outcome depends on luck.
"""

TIMES = """\
Each parent forks workers over all three routes in turns; a ratio is that to the direct route, of workers that
were neighbours in time, with its 99 % interval. QueuePool is `fork_dispose`, NullPool is `nullpool`. The next
row is that of a second checkout. Sessions are those of the server for {clients} workers: while all are idle,
and while all are in a transaction. In transaction mode the drivers prepare nothing (next table).
"""

BREAKS = """\
Outcomes of all drivers and both pools; where they differ, the cell says for which. In all trials but the
first ones, psycopg 3 and asyncpg prepare nothing: {arguments}. psycopg2 never prepares.
"""

PATHS = """\
PgBouncer 1.26 follows `SET search_path` because PostgreSQL 18 reports it to its clients; with PostgreSQL 15
it reached another client as behind 1.18.
"""

FORKS = """\
To a forked worker a connection to PgBouncer is the same as one to the server: one socket that two processes
have. `pg_backend_pid()` does not show it.
"""

RECOGNISED = """\
## With a pooler of your own

If `POOLSTART_URL` leads to a pooler, poolstart recognises it, because the process id in the connection's key
is not that of the backend, and finds its mode with a second client. The pooler becomes part of the server's
identity, so that its figures form series of their own. Which session a worker used, and whether one is left,
cannot be seen through a pooler: `measure`, `compare` and the quick answer say that it was not checked, and
hazards and counts are refused in one line. Other poolers than PgBouncer were not tried.
"""

NOTHING = "not in this version"


def render(record: PoolersRecord) -> str:
    """The page."""
    parts = [INTRODUCTION]
    if record.times:
        parts.append(in_short(newest(record.times)))
    for number in versions(record.times)[-1:]:
        parts += timed(number, record.times[number])
    if record.trials:
        parts += broken(record.trials)
        parts += forked(record.trials)
    return "\n".join([*parts, RECOGNISED])


def newest(measured: dict[str, PoolerTimes]) -> PoolerTimes:
    return measured[versions(measured)[-1]]


def in_short(measured: PoolerTimes) -> str:
    """What follows from the times of the reference driver."""
    rows = by_place(measured, drivers.MEASURED.name)
    pooled, without = rows["QueuePool", DIRECT], rows["NullPool", DIRECT]
    behind, kept = rows["NullPool", TRANSACTION], rows["QueuePool", SESSION]
    return (
        f"With {drivers.MEASURED.title}, a further query takes {ms(without.next_row)} ms with NullPool"
        f" directly, {ms(behind.next_row)} ms with NullPool behind PgBouncer in transaction mode, and"
        f" {ms(pooled.next_row)} ms with a pool in the worker. {times.CLIENTS} idle workers keep"
        f" {pooled.held[0]} sessions of the server with a pool, {kept.held[0]} behind PgBouncer in session"
        f" mode, and {behind.held[0]} with NullPool behind PgBouncer in transaction mode.\n"
    )


def sentences(measured: dict[str, PoolerTimes]) -> dict[str, str]:
    """By driver, what a worker without a pool costs behind the newest PgBouncer; empty without times."""
    if not measured:
        return {}
    version = versions(measured)[-1]
    return {name: sentence(version, by_place(measured[version], name)) for name in measured[version].drivers}


def sentence(version: str, rows: dict[tuple[str, str], RouteFigures]) -> str:
    direct, behind = rows["NullPool", DIRECT], rows["NullPool", TRANSACTION]
    factor = exp(paired_test(behind.first_ratio)[0])
    return (
        f"Measured behind PgBouncer {version} in transaction mode: without a pool the first row takes"
        f" {factor:.2f} times as long as directly, and each further query {ms(behind.next_row)} ms instead of"
        f" {ms(direct.next_row)} ms."
    )


def by_place(measured: PoolerTimes, driver: str) -> dict[tuple[str, str], RouteFigures]:
    """The figures of a driver, by pool and route."""
    return {(row.pool, row.route): row for row in measured.rows if row.driver == driver}


def ms(values: Sequence[float]) -> str:
    return digits(median(values) * 1e3)


def timed(version: str, measured: PoolerTimes) -> list[str]:
    """The section of times."""
    rows = [
        [
            row.driver,
            row.pool,
            row.route,
            intervals.median_with_interval(row.first_row, 1e3),
            ratio(row, row.first_ratio),
            intervals.median_with_interval(row.next_row, 1e3),
            ratio(row, row.next_ratio),
            " + ".join(map(str, row.trips)),
            " / ".join(map(str, row.held)),
        ]
        for row in measured.rows
    ]
    header = [
        *("driver", "pool", "route", "first row, ms", "ratio", "next row, ms", "ratio"),
        *("round trips", "sessions, idle / busy"),
    ]
    return [
        "## What it costs, and what it saves\n",
        TIMES.format(clients=times.CLIENTS),
        markdown.table(header, rows, figures=3),
        f"PgBouncer {version}. Measured {measured.provenance}{measured.provenance.by}: medians of"
        f" {measured.parents} parents, {measured.workers} workers of each over each route;"
        f" {named(measured.drivers)}.\n",
    ]


def ratio(row: RouteFigures, ratios: Sequence[float]) -> str:
    """A ratio with its interval, as far as there are enough parents; nothing for the direct route."""
    if row.route == DIRECT:
        return ""
    middle, low, high, _ = paired_test(ratios)
    shown = f"{exp(middle):.2f}"
    return f"{shown} ({exp(low):.2f} to {exp(high):.2f})" if high < float("inf") else shown


def named(versions_: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions_.items())


def broken(tried: dict[str, PoolerTrials]) -> list[str]:
    """The section of what breaks in transaction mode."""
    arguments = ", ".join(
        f"`{driver.behind_pooler}` ({driver.title})" for driver in things.MEASURED if driver.behind_pooler
    )
    header = ["", "", *(f"PgBouncer {version}" for version in versions(tried))]
    rows = [
        [*titles(thing, way), *cells(tried, thing, way, TRANSACTION)]
        for thing in things.THINGS
        if not thing.everywhere
        for way in thing.ways
    ]
    return [
        "## What breaks in transaction mode, and what fixes it\n",
        BREAKS.format(arguments=arguments),
        markdown.table(header, rows),
        PATHS,
        f"{closing(tried)}\n",
        f"{session_mode(tried)}\n",
    ]


def closing(tried: dict[str, PoolerTrials]) -> str:
    """Where and when the trials were made, the last version's in full."""
    *others, last = versions(tried)
    measured = tried[last]
    before = "".join(
        f" PgBouncer {version}: {tried[version].provenance.day}, {tried[version].repeats} of each."
        for version in others
    )
    return (
        f"PgBouncer {last}: {measured.repeats} of each trial, {measured.provenance}{measured.provenance.by};"
        f" {named(measured.drivers)}.{before}"
    )


def titles(thing: Thing, way: Way) -> list[str]:
    """The first cells of a row; the thing is named once."""
    return [thing.title if way is thing.ways[0] else "", way.title]


def session_mode(tried: dict[str, PoolerTrials]) -> str:
    """How session mode differs from a direct connection, and how NullPool does."""
    different: dict[tuple[str, str], list[str]] = {}
    for version in versions(tried):
        for thing in things.THINGS:
            rows = [
                row
                for row in tried[version].rows
                if (row.route, row.thing) == (SESSION, thing.id) and differs(tried[version], row)
            ]
            if rows and not thing.everywhere:
                different.setdefault((thing.title, merged(rows)), []).append(version)
    exceptions = [f"{title}: {text} ({', '.join(given)})" for (title, text), given in different.items()]
    start = "In session mode everything is as it is directly with the same pool"
    first = f"{start}, except {'; '.join(exceptions)}." if exceptions else f"{start}."
    newest_ = tried[versions(tried)[-1]]
    lost = [
        thing.title
        for thing in things.THINGS
        if any(
            not row.works
            for row in newest_.rows
            if (row.thing, row.route, row.pool) == (thing.id, DIRECT, "NullPool")
        )
    ]
    return f"{first} With NullPool, and no pooler at all, these do not outlast a checkout: {', '.join(lost)}."


def differs(tried: PoolerTrials, row: PoolerOutcome) -> bool:
    """Whether an outcome is not that of the direct route."""
    direct = tried.find(row.thing, row.way, DIRECT, row.pool, row.driver)
    return direct is not None and direct.text != row.text


def forked(tried: dict[str, PoolerTrials]) -> list[str]:
    """The section of forked workers; the outcomes of the last version."""
    version = versions(tried)[-1]
    rows = []
    for thing in things.THINGS:
        for way in thing.ways if thing.everywhere else ():
            direct, *others = (cells({version: tried[version]}, thing, way, route)[0] for route in ROUTES)
            same = ["the same" if text == direct else text for text in others]
            rows.append([*titles(thing, way), direct, *same])
    return [
        "## After a fork\n",
        FORKS,
        markdown.table(["", "", *ROUTES], rows),
        f"PgBouncer {version}, as above. Where a worker outlives its parent, PgBouncer has one session"
        " to lend.\n",
    ]


def cells(tried: dict[str, PoolerTrials], thing: Thing, way: Way, route: str) -> list[str]:
    """The outcome of a way, for each version."""
    return [
        merged(
            [
                row
                for row in tried[version].rows
                if (row.thing, row.way, row.route) == (thing.id, way.id, route)
            ]
        )
        for version in versions(tried)
    ]


def merged(rows: Sequence[PoolerOutcome]) -> str:
    """The outcome of several drivers and pools, with those of each if they differ."""
    if not any(row.outcomes for row in rows):
        return NOTHING
    groups = list(by_text(rows))
    if len(groups) == 1:
        return groups[0][0]
    return "; ".join(f"{text} ({whose(found, rows)})" for text, found in groups)


def whose(found: Sequence[PoolerOutcome], rows: Sequence[PoolerOutcome]) -> str:
    """Which of `rows` these are: those of a pool, or of drivers, each with its pool if the other differs."""
    for pool in things.POOLS:
        if len(found) < len(rows) and list(found) == [row for row in rows if row.pool == pool]:
            return pool
    names = []
    for driver in dict.fromkeys(row.driver for row in found):
        pools = [row.pool for row in found if row.driver == driver]
        everything = sum(row.driver == driver for row in rows)
        names.append(driver if len(pools) == everything else f"{driver} with {' and '.join(pools)}")
    return ", ".join(names)

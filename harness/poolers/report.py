"""The generated page `docs/poolers.md`."""

from collections.abc import Iterator, Sequence
from math import exp, inf

from harness import drivers
from harness.comparisons.judge import paired_test
from harness.console import markdown
from harness.console.numbers import INTERVAL
from harness.lifecycles import intervals
from harness.poolers import things, times
from harness.poolers.cells import ERROR, merged, rows_of, short
from harness.poolers.figures import (
    PoolerOutcome,
    PoolersRecord,
    PoolerTimes,
    PoolerTrials,
    RouteFigures,
    by_text,
    versions,
)
from harness.poolers.summary import by_place, ms
from harness.poolers.things import DIRECT, ROUTES, SESSION, TRANSACTION, Thing, Way

ADVICE = """\
# Behind PgBouncer

**In transaction mode** let the driver prepare nothing ({arguments}),
and use `SET LOCAL` and `pg_advisory_xact_lock()` in each transaction: `SET`, session locks, temporary tables
and `LISTEN` do not work there, and need session mode or a direct connection.
**In session mode** a pool of your own works as it does directly, except that the search path is refused as a
startup parameter by PgBouncer 1.18.
**A forked worker** needs the same line as without PgBouncer, `engine.dispose(close=False)`: what it inherits
is one connection that two processes use.
"""

PREPARED = """\
## Prepared statements in transaction mode

psycopg2 prepares nothing. psycopg 3 prepares a statement that it has often seen, asyncpg every one.
"""

KEPT = """\
## What else a session keeps, in transaction mode

*Shared*: it reaches another client. *Lost*: it is gone in the next transaction. Drivers that prepare
statements had the arguments above. {lost} do not outlast a checkout of `NullPool` without PgBouncer either.
"""

PATHS = """\
The server was PostgreSQL 18, which reports `search_path` to its clients, and PgBouncer 1.26 follows what is
reported. An older server was not tried.
"""

FORKS = """\
## After a fork

`pg_backend_pid()` does not show who uses a connection to PgBouncer.
"""

TIMES = f"""\
## What it costs

Milliseconds until the first row of a forked worker, and for the query after it. Behind PgBouncer: the ratio
to the direct route, of workers that were neighbours in time, with its 99 % interval. {INTERVAL}.
"""

RECOGNISED = """\
## With a pooler of your own

If `POOLSTART_URL` leads to a pooler, poolstart recognises it by the process id in the connection's key, which
is not that of the backend, and finds its mode with a second client. The pooler is part of the server's
identity: its figures are series of their own. Which session a worker used, and whether one is left, cannot be
seen through a pooler: `measure`, `compare` and the quick answer say that it was not checked, hazards and
counts are refused in one line. Other poolers than PgBouncer were not tried.
"""


def render(record: PoolersRecord) -> str:
    """The page."""
    arguments = ", ".join(f"`{each.behind_pooler}` with {each.title}" for each in unprepared())
    parts = [ADVICE.format(arguments=arguments)]
    if record.times:
        parts.append(in_short(record.times[versions(record.times)[-1]]))
    if record.trials:
        parts += broken(record.trials)
        parts += forked(record.trials)
    for number in versions(record.times)[-1:]:
        parts += timed(number, record.times[number])
    parts.append(RECOGNISED)
    if record.trials:
        parts += ["## How it was tried\n", f"{closing(record.trials)}\n"]
    return "\n".join(parts)


def unprepared() -> list[drivers.Driver]:
    """The drivers that prepare statements by default."""
    return [driver for driver in things.MEASURED if driver.behind_pooler]


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


def broken(tried: dict[str, PoolerTrials]) -> Iterator[str]:
    """The sections of what breaks in transaction mode."""
    for prepared, text in ((True, PREPARED), (False, KEPT.format(lost=lost_with_nullpool(tried)))):
        shown = [each for each in things.THINGS if each.prepared == prepared and not each.everywhere]
        rows = [
            [*titles(thing, way, named=not prepared), *cells(tried, thing, way, TRANSACTION)]
            for thing in shown
            for way in thing.ways
        ]
        blank = [""] if prepared else ["", ""]
        yield text
        yield markdown.table([*blank, *(f"PgBouncer {version}" for version in versions(tried))], rows)
        yield messages(tried, shown)
    yield PATHS
    yield f"{session_mode(tried)}\n"


def messages(tried: dict[str, PoolerTrials], shown: Sequence[Thing]) -> str:
    """The errors behind the cells of some things in transaction mode, as the clients see them."""
    ids = {thing.id for thing in shown}
    rows = [
        row
        for version in versions(tried)
        for row in tried[version].rows
        if row.thing in ids and row.route == TRANSACTION and short(row.text) == ERROR
    ]
    lines = [
        f"- `{text}` ({', '.join(dict.fromkeys(row.driver for row in found))})\n"
        for text, found in by_text(rows)
    ]
    return "".join(["Errors:\n\n", *lines] if lines else [])


def titles(thing: Thing, way: Way, *, named: bool) -> list[str]:
    """The first cells of a row; the thing is named once, where the table is about several."""
    return [thing.title if way is thing.ways[0] else "", way.title] if named else [way.title]


def cells(tried: dict[str, PoolerTrials], thing: Thing, way: Way, route: str) -> list[str]:
    """The outcome of a way in a word or two, for each version."""
    return [merged(rows_of(tried[version], thing, way, route)) for version in versions(tried)]


def lost_with_nullpool(tried: dict[str, PoolerTrials]) -> str:
    """What does not outlast a checkout of NullPool without any pooler."""
    newest = tried[versions(tried)[-1]]
    return ", ".join(
        thing.title
        for thing in things.THINGS
        if any(
            not row.works
            for row in newest.rows
            if (row.thing, row.route, row.pool) == (thing.id, DIRECT, "NullPool")
        )
    )


def session_mode(tried: dict[str, PoolerTrials]) -> str:
    """How session mode differs from a direct connection."""
    different: dict[tuple[str, str], list[str]] = {}
    for version in versions(tried):
        for thing in things.THINGS:
            rows = [
                row
                for row in tried[version].rows
                if (row.route, row.thing) == (SESSION, thing.id) and differs(tried[version], row)
            ]
            if rows and not thing.everywhere:
                different.setdefault((thing.title, merged(rows, in_full=True)), []).append(version)
    exceptions = [f"{title}: {text} ({', '.join(given)})" for (title, text), given in different.items()]
    start = "In session mode everything is as it is directly with the same pool"
    return f"{start}, except {'; '.join(exceptions)}." if exceptions else f"{start}."


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
            first = titles(thing, way, named=True)
            for names, (direct, *others) in by_outcomes(tried[version], thing, way):
                same = ["the same" if text == direct else text for text in others]
                rows.append([*first, ", ".join(names), direct, *same])
                first = ["", ""]
    return [
        FORKS,
        markdown.table(["", "", "driver", *ROUTES], rows),
        f"PgBouncer {version}. Where a worker outlives its parent, PgBouncer has one session to lend.\n",
    ]


def by_outcomes(tried: PoolerTrials, thing: Thing, way: Way) -> Iterator[tuple[list[str], list[str]]]:
    """Drivers that have the same outcomes of a way, and these by route."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for driver in tried.drivers:
        found = (tried.find(thing.id, way.id, route, thing.pools[0], driver) for route in ROUTES)
        groups.setdefault(tuple(row.text if row else "" for row in found), []).append(driver)
    for outcomes, names in groups.items():
        yield names, list(outcomes)


def timed(version: str, measured: PoolerTimes) -> list[str]:
    """The section of times."""
    places = list(dict.fromkeys((row.driver, row.pool) for row in measured.rows))
    rows = []
    for driver, pool in places:
        found = [by_place(measured, driver)[pool, route] for route in ROUTES]
        first = [cell(row, row.first_row, row.first_ratio) for row in found]
        later = [cell(row, row.next_row, row.next_ratio) for row in found]
        rows += [[driver, pool, "first", *first], ["", "", "next", *later]]
    held = []
    for driver, pool in places:
        found = [by_place(measured, driver)[pool, route] for route in ROUTES]
        trips = dict.fromkeys(" + ".join(map(str, row.trips)) for row in found)
        held.append([driver, pool, *(" / ".join(map(str, row.held)) for row in found), " or ".join(trips)])
    return [
        TIMES,
        markdown.table(["driver", "pool", "row", *ROUTES], rows, figures=3),
        f"QueuePool is `fork_dispose`, NullPool is `nullpool`. PgBouncer {version}. Measured"
        f" {measured.provenance}{measured.provenance.by}: medians of {measured.parents} parents,"
        f" {measured.workers} workers of each over each route; {named(measured.drivers)}.\n",
        f"Sessions of the server for {times.CLIENTS} workers, while all are idle and while all are in a"
        " transaction; and the client's round trips, first row + next row:\n",
        markdown.table(["driver", "pool", *ROUTES, "round trips"], held, figures=2),
    ]


def cell(row: RouteFigures, values: Sequence[float], ratios: Sequence[float]) -> str:
    """`4.1 ±0.2`, behind PgBouncer followed by `, 0.52 (0.50 to 0.54)` of the ratio to the direct route."""
    shown = intervals.median_with_interval(values, 1e3)
    if row.route == DIRECT:
        return shown
    middle, low, high, _ = paired_test(ratios)
    interval = f" ({exp(low):.2f} to {exp(high):.2f})" if high < inf else ""
    return f"{shown}, {exp(middle):.2f}{interval}"


def closing(tried: dict[str, PoolerTrials]) -> str:
    """Where and when the trials were made, the last version's in full."""
    *others, last = versions(tried)
    measured = tried[last]
    before = "".join(
        f" PgBouncer {version}: {tried[version].provenance.day}, {tried[version].repeats} of each."
        for version in others
    )
    return (
        "`poolstart record poolers` starts PgBouncer in front of the embedded server. In each trial two"
        " clients take turns on purpose, so that no outcome depends on luck."
        f" PgBouncer {last}: {measured.repeats} of each trial, {measured.provenance}{measured.provenance.by};"
        f" {named(measured.drivers)}.{before}"
    )


def named(versions_: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions_.items())

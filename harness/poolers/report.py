"""The generated page `docs/poolers.md`."""

from collections.abc import Iterator, Mapping, Sequence
from math import exp, inf

from harness import drivers
from harness.comparisons.judge import paired_test
from harness.console import markdown
from harness.console.numbers import INTERVAL
from harness.lifecycles import intervals
from harness.poolers import things, times
from harness.poolers.cells import ERROR, merged, rows_of, short
from harness.poolers.figures import (
    PoolersRecord,
    PoolerTimes,
    PoolerTrials,
    RouteFigures,
    by_text,
    further_pythons,
    versions,
)
from harness.poolers.summary import by_place, ms
from harness.poolers.things import DIRECT, ROUTES, SESSION, TRANSACTION, Thing

Trials = Mapping[str, PoolerTrials]
"""Those under the reference Python, by version of PgBouncer."""

ADVICE = """\
# Behind PgBouncer

**In transaction mode** do not let the driver prepare statements ({arguments}),
unless PgBouncer keeps track of them (1.21 or later with `max_prepared_statements`, in 1.26 by default).
Use `SET LOCAL` and `pg_advisory_xact_lock()` in each transaction: `SET`, session locks, temporary tables
and `LISTEN` do not work there, and need session mode or a direct connection.
**In session mode** a pool of your own works as with a direct connection, except that PgBouncer 1.18 refuses
the search path as a startup parameter.
**A forked worker** needs the same line as without PgBouncer, `engine.dispose(close=False)`: it inherits a
connection that two processes would use.
"""

PREPARED = """\
## Prepared statements in transaction mode

psycopg2 prepares no statement, psycopg 3 those that it has executed five times, asyncpg every one.
"""

KEPT = """\
## What else a session keeps, in transaction mode

*Shared*: it reaches another client. *Lost*: it is gone in the next transaction. psycopg 3 and asyncpg had the
arguments above. Without PgBouncer, too, these do not outlast a checkout of `NullPool`: {lost}.
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

Milliseconds until the first row of a forked worker, and for the query after it. Behind PgBouncer also the
ratio to the direct route, of workers that started one after the other, with its 99 % interval. {INTERVAL}.
"""

RECOGNISED = """\
## With a pooler of your own

If `POOLSTART_URL` leads to a pooler, poolstart recognises it by the process id in the connection's key, which
is not that of the backend, and finds its mode with a second client. The pooler is part of the server's
identity: its figures are series of their own. Through a pooler it cannot be seen which session a worker used,
or whether a session is left: `measure`, `compare` and the quick answer say that they did not check it, and
hazards and counts are refused. Poolers other than PgBouncer were not tried.
"""


def render(record: PoolersRecord) -> str:
    """The page."""
    unprepared = [driver for driver in things.MEASURED if driver.behind_pooler]
    arguments = ", ".join(f"`{each.behind_pooler}` with {each.title}" for each in unprepared)
    parts = [ADVICE.format(arguments=arguments)]
    trials = versions(record.trials)
    measured = list(versions(record.times).items())[-1:]
    parts += [in_short(each) for _, each in measured]
    if trials:
        parts += [*broken(trials), *forked(*list(trials.items())[-1])]
    for version, each in measured:
        parts += [TIMES, *timed(version, each), *sessions(each)]
    for python in further_pythons(record.times):
        version, each = list(versions(record.times, python).items())[-1]
        parts += [
            f"### Under Python {python}\n",
            f"The same under this Python. {INTERVAL}.\n",
            *timed(version, each),
        ]
    parts.append(RECOGNISED)
    if trials:
        parts += ["## How it was tried\n", f"{closing(trials)}\n", *other_pythons(record)]
    return "\n".join(parts)


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


def broken(tried: Trials) -> Iterator[str]:
    """The sections of what breaks in transaction mode."""
    for prepared, text in ((True, PREPARED), (False, KEPT.format(lost=lost_with_nullpool(tried)))):
        shown = [each for each in things.THINGS if each.prepared == prepared and not each.everywhere]
        rows = [
            [thing.title if way is thing.ways[0] else "", way.title]
            + [merged(rows_of(each, thing, way, TRANSACTION)) for each in tried.values()]
            for thing in shown
            for way in thing.ways
        ]
        yield text
        yield markdown.table(["", "", *(f"PgBouncer {version}" for version in tried)], rows)
        yield messages(tried, shown)
    yield PATHS
    yield f"{session_mode(tried)}\n"


def messages(tried: Trials, shown: Sequence[Thing]) -> str:
    """The errors behind the cells of some things in transaction mode, as the clients see them."""
    ids = {thing.id for thing in shown}
    rows = [
        row
        for each in tried.values()
        for row in each.rows
        if row.thing in ids and row.route == TRANSACTION and short(row.text) == ERROR
    ]
    lines = [
        f"- `{text}` ({', '.join(dict.fromkeys(row.driver for row in found))})\n"
        for text, found in by_text(rows)
    ]
    return "".join(["Errors:\n\n", *lines] if lines else [])


def lost_with_nullpool(tried: Trials) -> str:
    """What does not outlast a checkout of NullPool without any pooler."""
    newest = list(tried.values())[-1]
    direct = [row for row in newest.rows if (row.route, row.pool) == (DIRECT, "NullPool")]
    lost = {row.thing for row in direct if not row.works}
    return ", ".join(thing.title for thing in things.THINGS if thing.id in lost)


def session_mode(tried: Trials) -> str:
    """How session mode differs from a direct connection."""
    different: dict[tuple[str, str], list[str]] = {}
    for version, each in tried.items():
        for thing in things.THINGS:
            direct, session = (
                merged(rows_of(each, thing, thing.ways[0], route), in_full=True)
                for route in (DIRECT, SESSION)
            )
            if direct != session and not thing.everywhere:
                different.setdefault((thing.title, session), []).append(version)
    exceptions = [f"{title}: {text} ({', '.join(given)})" for (title, text), given in different.items()]
    start = "In session mode everything is as with a direct connection and the same pool"
    return f"{start}, except {'; '.join(exceptions)}." if exceptions else f"{start}."


def forked(version: str, tried: PoolerTrials) -> list[str]:
    """The section of forked workers."""
    rows = []
    for thing in things.THINGS:
        for way in thing.ways if thing.everywhere else ():
            direct, *others = (merged(rows_of(tried, thing, way, route), in_full=True) for route in ROUTES)
            same = ["the same" if text == direct else text for text in others]
            rows.append([thing.title if way is thing.ways[0] else "", way.title, direct, *same])
    return [
        FORKS,
        markdown.table(["", "", *ROUTES], rows),
        f"PgBouncer {version}. Where a worker outlives its parent, PgBouncer has one session to lend.\n",
    ]


def timed(version: str, measured: PoolerTimes) -> list[str]:
    """The times under one Python, and where they were measured."""
    rows = []
    for driver, pool in places(measured):
        found = [by_place(measured, driver)[pool, route] for route in ROUTES]
        first = [cell(row, row.first_row, row.first_ratio) for row in found]
        later = [cell(row, row.next_row, row.next_ratio) for row in found]
        rows += [[driver, pool, "first", *first], ["", "", "next", *later]]
    return [
        markdown.table(["driver", "pool", "row", *ROUTES], rows, figures=3),
        f"QueuePool is `fork_dispose`, NullPool is `nullpool`. PgBouncer {version}. Measured"
        f" {measured.provenance}{measured.provenance.by}: medians of {measured.parents} parents,"
        f" {measured.workers} workers of each over each route; {named(measured.drivers)}.\n",
    ]


def sessions(measured: PoolerTimes) -> list[str]:
    """Sessions of the server and round trips, which no Python changes."""
    held = []
    for driver, pool in places(measured):
        found = [by_place(measured, driver)[pool, route] for route in ROUTES]
        trips = dict.fromkeys(" + ".join(map(str, row.trips)) for row in found)
        held.append([driver, pool, *(" / ".join(map(str, row.held)) for row in found), " or ".join(trips)])
    return [
        f"Sessions of the server for {times.CLIENTS} workers, while all are idle and while all are in a"
        " transaction; and the client's round trips, first row + next row:\n",
        markdown.table(["driver", "pool", *ROUTES, "round trips"], held, figures=2),
    ]


def places(measured: PoolerTimes) -> dict[tuple[str, str], None]:
    """Drivers and pools."""
    return dict.fromkeys((row.driver, row.pool) for row in measured.rows)


def cell(row: RouteFigures, values: Sequence[float], ratios: Sequence[float]) -> str:
    """`4.1 ±0.2`, behind PgBouncer followed by `, 0.52 (0.50 to 0.54)` of the ratio to the direct route."""
    shown = intervals.median_with_interval(values, 1e3)
    if row.route == DIRECT:
        return shown
    middle, low, high, _ = paired_test(ratios)
    interval = f" ({exp(low):.2f} to {exp(high):.2f})" if high < inf else ""
    return f"{shown}, {exp(middle):.2f}{interval}"


def closing(tried: Trials) -> str:
    """Where and when the trials were made, the last version's in full."""
    *others, (version, last) = tried.items()
    before = "".join(
        f" PgBouncer {version}: {each.provenance.day}, {each.repeats} of each." for version, each in others
    )
    return (
        "`poolstart record poolers` starts PgBouncer in front of the embedded server. In each trial two"
        " clients take turns on purpose, so that no outcome depends on luck."
        f" PgBouncer {version}: {last.repeats} of each trial, {last.provenance}{last.provenance.by};"
        f" {named(last.drivers)}.{before}"
    )


def other_pythons(record: PoolersRecord) -> Iterator[str]:
    """For each further Python, how its outcomes differ from those of the reference."""
    reference = versions(record.trials)
    for name, tried in record.trials.items():
        version, _, python = name.partition(" ")
        if not python or version not in reference:
            continue
        different = [
            f"`{row.thing}` ({row.way}, {row.route}, {row.driver}, {row.pool}): {row.text}"
            for row in tried.rows
            if (known := reference[version].find(row.thing, row.way, row.route, row.pool, row.driver))
            and known.text != row.text
        ]
        how = f"except {'; '.join(different)}" if different else "without an exception"
        yield (
            f"Under Python {python} the outcomes are the same, {how}: {tried.repeats} of each trial,"
            f" {tried.provenance}{tried.provenance.by}.\n"
        )


def named(versions_: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions_.items())

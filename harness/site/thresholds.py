"""Where the thresholds of the choice come from: the figures behind them, as charts and tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from statistics import median
from typing import Any

from harness import strategies
from harness.answer import recommendation
from harness.answer.recommendation import BOOTED, FORKED, POOLLESS, PRELOADED
from harness.comparisons.servers import ServerComparison
from harness.console.numbers import digits
from harness.counts import report as exact
from harness.curves import work
from harness.curves.curve import CurveRecord
from harness.hazards.inside.story import HazardReading
from harness.site import charts
from harness.site.results import ReleaseFigures

DRAWN = ((BOOTED, "first"), (PRELOADED, "second"), (FORKED, "third"))
"""The strategies in the charts, with the style of their lines."""

SHORTEST, LONGEST = 0.01, 100.0
"""Seconds: the ends of the axis of task lengths."""

QUERIES = 10
"""The end of the axis of queries."""

ACCESSES = ("read", "collect", "write", "read_frozen", "collect_frozen")
"""What a worker does to a column it shares with its parent; `_frozen` after gc.freeze() in the parent."""


def worker_life(release: ReleaseFigures, threshold: float) -> dict[str, Any]:
    """The share of a worker's life that its start takes, by the length of its task.

    `threshold` is in seconds.
    """
    points = [number / 60 for number in range(61)]
    lines = [
        (name, css, [(x, 100 * start_share(start.median, task_length(x))) for x in points])
        for name, css in DRAWN
        if (start := release.of("time_to_first_row", name, "none"))
    ]
    columns = [
        (position(seconds), text)
        for seconds, text in ((0.01, "10 ms"), (0.1, "100 ms"), (1, "1 s"), (10, "10 s"))
    ]
    length = recommendation.duration(threshold)
    return {
        "summary": f"If workers live {length} or longer, a preloaded fork server takes less than a tenth"
        " of that to start them.",
        "curves": charts.curves(lines, columns, [(position(threshold), length)], " %"),
    }


def start_share(start: float, task: float) -> float:
    """The share of a worker's life that its start takes; both in seconds."""
    return start / (start + task)


def task_length(x: float) -> float:
    """Seconds at a position on the logarithmic axis, from 0 to 1."""
    return float(SHORTEST * (LONGEST / SHORTEST) ** x)


def position(seconds: float) -> float:
    """The position of a task length on the logarithmic axis, from 0 to 1."""
    return log(seconds / SHORTEST) / log(LONGEST / SHORTEST)


def pool_crossing(sentence: str, curves: Mapping[str, CurveRecord]) -> dict[str, Any] | None:
    """The time of all queries of a worker together, with a pool and with NullPool; None without that curve.

    `sentence` says what follows from it.
    """
    record = curves.get(work.WorkCurve.name)
    if record is None:
        return None

    def x(number: float) -> float:
        return (number - 1) / (QUERIES - 1) * 0.96 + 0.02

    lines = [
        (
            title,
            css,
            [
                (x(number), median(seconds) * 1e3)
                for number, seconds in work.cumulative(record, strategy).items()
                if number <= QUERIES
            ],
        )
        for strategy, title, css in (
            (POOLLESS, "NullPool", "first"),
            (FORKED, "a pool, after dispose", "third"),
        )
    ]
    columns = [(x(number), str(number)) for number in work.QUERIES if number <= QUERIES]
    found = work.break_even(record, "fork")
    marks = [(x(found[0]), "the pool is cheaper from here")] if found and found[0] <= QUERIES else []
    return {
        "summary": sentence,
        "provenance": str(record.provenance),
        "curves": charts.curves(lines, columns, marks, " ms"),
    }


def server_table(comparison: ServerComparison | None) -> dict[str, Any] | None:
    """What connecting costs, by what is between worker and server; None without a recorded comparison."""
    if comparison is None or not comparison.servers:
        return None
    rows = [
        (server, server.median("connect") * 1e3, server.median("second_query") * 1e3)
        for server in comparison.servers
    ]
    longest = max(connect for _, connect, _ in rows) or 1.0
    (nearest, shortest, _), (farthest, slowest, _) = rows[0], rows[-1]
    return {
        "summary": f"NullPool connects at each checkout: {digits(shortest)} ms to {nearest.server}, "
        f"{digits(slowest)} ms to {farthest.server}. The farther away the server is, and the more steps its "
        "authentication takes, the sooner a pool pays off.",
        "rows": [
            {
                "server": server.server,
                "adds": f"adds {server.adds}" if server.adds else "",
                "connect": digits(connect),
                "second": digits(second),
                "connect_width": charts.percent(connect / longest),
                "second_width": charts.percent(second / longest),
            }
            for server, connect, second in rows
        ],
    }


@dataclass(frozen=True)
class QueryTime:
    """The time of a query on this machine, and its round trips to the server."""

    here: float
    """Seconds."""
    round_trips: float

    def over(self, distance: float) -> float:
        """Seconds if a round trip takes `distance` seconds more than here."""
        return self.here + exact.added(self.round_trips, distance)


def distance_table(release: ReleaseFigures) -> dict[str, Any] | None:
    """What queries take if the server is far away; None without the figures for any strategy."""
    known = {each.id: times for each in strategies.CATALOGUE if (times := query_times(release, each.id))}
    if not known:
        return None
    farthest = exact.DISTANCES[-1]
    lines = [
        (name, css, [(x, 1e3 * known[name][0].over(x * farthest)) for x in (0.0, 1.0)])
        for name, css in DRAWN
        if name in known
    ]
    columns = [(distance / farthest, f"{distance * 1e3:g} ms") for distance in exact.DISTANCES]
    return {
        "columns": [text for _, text in columns],
        "rows": [
            (
                name,
                " / ".join(f"{query.round_trips:.0f}" for query in times),
                [
                    " / ".join(digits(1e3 * query.over(seconds)) for query in times)
                    for seconds in exact.DISTANCES
                ],
            )
            for name, times in known.items()
        ],
        "curves": charts.curves(lines, columns, [], " ms"),
    }


def query_times(release: ReleaseFigures, strategy: str) -> list[QueryTime]:
    """The first and the second query of a worker; empty if one of them is not known."""
    times = []
    for name in ("first_query", "second_query"):
        here = release.of(name, strategy, "none")
        round_trips = release.counts.get((f"round_trips_{name}", strategy))
        if here is None or round_trips is None:
            return []
        times.append(QueryTime(here.median, round_trips))
    return times


def copies_table(readings: dict[str, HazardReading]) -> dict[str, Any] | None:
    """The memory that a forked worker copies by using shared columns; None without readings.

    `readings` are those of the hazard `copied_frame`, in bytes, by kind of column and access.
    """
    kinds = [name.removesuffix("_read") for name in readings if name.endswith("_read")]
    if not kinds:
        return None
    largest = max(
        (readings[name].value for kind in kinds for name in names(kind) if name in readings), default=0.0
    )

    def cell(name: str) -> tuple[str, str]:
        reading = readings.get(name)
        if reading is None:
            return "", "0"
        return f"{reading.value / 2**20:.1f}", charts.percent(reading.value / (largest or 1.0))

    return {
        "summary": "MiB of shared memory that become the worker's own copy after it reads, garbage-collects "
        "or writes a column of its parent's DataFrame; and the same after gc.freeze() in the parent.",
        "columns": [access.replace("_", ", ") for access in ACCESSES],
        "rows": [(kind, [cell(name) for name in names(kind)]) for kind in kinds],
    }


def names(kind: str) -> list[str]:
    """The names of the readings of a kind of column."""
    return [f"{kind}_{access}" for access in ACCESSES]

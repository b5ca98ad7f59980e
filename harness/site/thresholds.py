"""Where the thresholds of the choice come from: the figures behind them, as charts."""

from collections.abc import Mapping
from math import log
from statistics import median
from typing import Any

from harness.answer import recommendation
from harness.answer.figures.results import ReleaseResults
from harness.answer.recommendation import BOOTED, FORKED, POOLLESS, PRELOADED
from harness.curves import work
from harness.curves.curve import CurveRecord
from harness.site import charts

DRAWN = ((BOOTED, "first"), (PRELOADED, "second"), (FORKED, "third"))
"""The strategies in the charts, with the style of their lines."""

SHORTEST, LONGEST = 0.01, 100.0
"""Seconds: the ends of the axis of task lengths."""

QUERIES = 10
"""The end of the axis of queries."""


def worker_life(release: ReleaseResults, threshold: float) -> dict[str, Any]:
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

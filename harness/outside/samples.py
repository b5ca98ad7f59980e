"""A lifecycle that counts, and the figures that are read from it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

NANOSECOND = 1e-9


@dataclass(frozen=True)
class Lifecycle:
    """One worker's life in seconds and bytes.

    The phases follow one another; the clock's resolution, 1 ns, is far below what scheduling adds.
    """

    first: bool
    """Whether it was the first worker of its parent."""
    blocked: float
    """`Process.start()` called in the parent -> returned."""
    start: float
    """`Process.start()` called -> first line of the worker function, imports included."""
    engine: float
    """First line of the worker function -> engine usable."""
    first_row: float
    """Engine usable -> first result fetched and connection given back."""
    second_row: float
    """A second checkout, query and return."""
    exit: float
    """Worker let go -> reaped by the parent."""
    uss: int
    pss: int
    rss: int
    peak: int
    """Memory after the second row, at the barrier (`harness.system.memory`)."""

    @classmethod
    def from_report(cls, seen: dict[str, Any], first: bool) -> "Lifecycle":
        worker = seen["worker"]

        def seconds(earlier: int, later: int) -> float:
            return (later - earlier) * NANOSECOND

        return cls(
            first=first,
            blocked=seconds(seen["called"], seen["returned"]),
            start=seconds(seen["called"], worker["started"]),
            engine=seconds(worker["started"], worker["usable"]),
            first_row=seconds(worker["usable"], worker["first_row"]),
            second_row=seconds(worker["first_row"], worker["second_row"]),
            exit=seconds(seen["released"], seen["reaped"]),
            **worker["memory"],
        )

    @property
    def first_query(self) -> float:
        """First line of the worker function -> first result fetched."""
        return self.engine + self.first_row

    @property
    def time_to_first_row(self) -> float:
        """`Process.start()` called -> first result fetched: what a user waits for."""
        return self.start + self.first_query


METRICS: dict[str, Callable[[Lifecycle], float]] = {
    "startup": lambda life: life.start,
    "first_query": lambda life: life.first_query,
    "time_to_first_row": lambda life: life.time_to_first_row,
    "second_query": lambda life: life.second_row,
    "blocked": lambda life: life.blocked,
    "exit": lambda life: life.exit,
    "uss": lambda life: life.uss,
    "pss": lambda life: life.pss,
    "rss": lambda life: life.rss,
    "peak": lambda life: life.peak,
}


def samples(lives: Iterable[Lifecycle], metric: str) -> list[float]:
    """One figure of every lifecycle; `first_worker` is the time to first row of first workers alone."""
    if metric == "first_worker":
        return [life.time_to_first_row for life in lives if life.first]
    return [METRICS[metric](life) for life in lives]


def spread(low: float, median: float, high: float, factor: float) -> str:
    """A median ± half the interquartile range, as asv shows it, times `factor`."""
    return f"{_digits(median * factor)} ±{_digits((high - low) / 2 * factor)}"


def _digits(value: float) -> str:
    """No more digits than such figures are worth."""
    if value >= 99.5:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2f}" if value >= 0.005 else "0"

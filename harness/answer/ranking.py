"""Which of two strategies costs less, where that can be said.

Figures of many releases that do the same are compared by the ranges of their medians. Figures of one run are
compared by their 99 % intervals, each widened by how far runs of one release differ
(`harness.lifecycles.intervals`). Ranges that overlap do not rank, whatever their medians are: another run
would turn them round.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.lifecycles import intervals
from harness.lifecycles.metrics import SummaryColumn


class Order(StrEnum):
    """How a figure compares with another."""

    SMALLER = "smaller"
    LARGER = "larger"
    UNKNOWN = "cannot be distinguished"


@dataclass(frozen=True)
class MedianRange:
    """A median with an interval, in seconds or bytes."""

    median: float
    low: float
    high: float
    unit: str = ""
    """`seconds` or `bytes`; empty where it is not needed."""
    across_runs: bool = False
    """Whether the range is one of many runs, and not the interval of one."""


Figures = Callable[[str, str], MedianRange | None]
"""The estimate of a strategy's metric; None if it was not measured."""

CellFigures = Callable[[str, str, str], MedianRange | None]
"""The same with a DataFrame setting."""


def widened(bounds: MedianRange, metric: str, strategy: str, dataframe: str = "none") -> tuple[float, float]:
    """The interval in which medians of other runs lie, as far as recorded runs show; in the same unit."""
    if bounds.across_runs:
        return bounds.low, bounds.high
    factor = 1 + intervals.widening(metric, strategy, dataframe)
    return bounds.low / factor if bounds.low > 0 else bounds.low, bounds.high * factor


def order(figures: Figures, metric: str, first: str, second: str) -> Order:
    """How the first strategy's figure compares with the second's; unknown if one is missing."""
    one, other = figures(first, metric), figures(second, metric)
    if one is None or other is None:
        return Order.UNKNOWN
    return order_of(widened(one, metric, first), widened(other, metric, second))


def order_of(one: tuple[float, float], other: tuple[float, float]) -> Order:
    """How an interval compares with another."""
    if one[1] < other[0]:
        return Order.SMALLER
    return Order.LARGER if one[0] > other[1] else Order.UNKNOWN


def alike(bounds: Mapping[str, tuple[float, float]]) -> list[list[str]]:
    """The largest groups of names whose intervals all overlap, so that none of them ranks; in their order."""
    groups = {
        frozenset(name for name, (low, high) in bounds.items() if low <= point <= high)
        for point, _ in bounds.values()
    }
    return [
        [name for name in bounds if name in group]
        for group in sorted(groups, key=lambda group: [name in group for name in bounds], reverse=True)
        if len(group) > 1 and not any(group < other for other in groups)
    ]


def alike_sentence(columns: Iterable[SummaryColumn], figures: CellFigures, names: Iterable[str]) -> str:
    """Which rows of a table cannot be distinguished; empty if all can."""
    names, parts = list(names), []
    for column in columns:
        metric, dataframe = column.metric.id, column.dataframe
        bounds = {
            name: widened(figure, metric, name, dataframe)
            for name in names
            if (figure := figures(name, metric, dataframe))
        }
        if groups := alike(bounds):
            parts.append(f"{column.heading}: {'; '.join(map(enumerated, groups))}.")
    return " ".join([f"These rows {Order.UNKNOWN}.", *parts]) if parts else ""


def enumerated(names: Sequence[str]) -> str:
    """`a`, `b` and `c`, each as code."""
    *most, last = (f"`{name}`" for name in names)
    return f"{', '.join(most)} and {last}"

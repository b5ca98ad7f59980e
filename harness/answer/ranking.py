"""Which of two strategies costs less, where that can be said.

Figures of one run are compared by their 99 % intervals, each widened by how far runs of one release differ
(`harness.lifecycles.intervals`). Intervals that overlap do not rank, whatever their medians are: another run
would turn them round.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from harness.lifecycles import intervals


class Order(StrEnum):
    """How a figure compares with another."""

    SMALLER = "smaller"
    LARGER = "larger"
    UNKNOWN = "cannot be distinguished"


class Bounds(Protocol):
    """An interval in seconds or bytes."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


Figures = Callable[[str, str], Bounds | None]
"""The interval of a strategy's metric; None if it was not measured."""


def widened(bounds: Bounds, metric: str, strategy: str, dataframe: str = "none") -> tuple[float, float]:
    """The interval in which medians of other runs lie, as far as recorded runs show; in the same unit."""
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

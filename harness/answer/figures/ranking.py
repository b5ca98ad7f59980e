"""Which of two strategies costs less, if that can be decided.

All strategies of a release are measured alternately, in the same blocks, so each release is a pair of any two
figures. Two levels of many releases rank if all these pairs agree. Figures of one run are compared by their
99 % intervals, each widened by how far runs of one release differ (`harness.lifecycles.intervals`): if these
overlap, another run could have them in the opposite order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import log

from harness.lifecycles import intervals, metrics
from harness.lifecycles.metrics import SummaryColumn

MIN_PAIRS = 8
"""The number of releases that have to agree: eight agree by chance once in 128 times."""


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
    by_release: Mapping[str, float] = field(default_factory=dict)
    """The medians of the releases whose mean it is, by release; empty for one run."""


Figures = Callable[[str, str], MedianRange | None]
"""Returns the estimate of a strategy's metric; None if it was not measured."""

CellFigures = Callable[[str, str, str], MedianRange | None]
"""The same with a DataFrame setting."""


@dataclass(frozen=True)
class CellFigure:
    """A figure to rank, with its metric and cell."""

    estimate: MedianRange
    metric: str
    strategy: str
    dataframe: str = "none"

    @property
    def widened(self) -> tuple[float, float]:
        """The interval in which medians of other runs lie, according to recorded runs; in the same unit."""
        low, high = self.estimate.low, self.estimate.high
        factor = 1 + intervals.widening(self.metric, self.strategy, self.dataframe)
        return low / factor if low > 0 else low, high * factor


def order(one: CellFigure, other: CellFigure) -> Order:
    """How a figure compares with another."""
    first, second = one.estimate.by_release, other.estimate.by_release
    if len(pairs := [(first[name], second[name]) for name in first if name in second]) >= MIN_PAIRS:
        smallest = log(1 + metrics.min_relevant_change(other.metric, other.estimate.median))
        difference = log(one.estimate.median / other.estimate.median)
        if difference <= -smallest and all(before < after for before, after in pairs):
            return Order.SMALLER
        if difference >= smallest and all(before > after for before, after in pairs):
            return Order.LARGER
        return Order.UNKNOWN
    (low, high), (other_low, other_high) = one.widened, other.widened
    if high < other_low:
        return Order.SMALLER
    return Order.LARGER if low > other_high else Order.UNKNOWN


def alike(figures: Sequence[CellFigure]) -> list[list[str]]:
    """The largest groups of strategies that cannot be ranked, in the order of the figures."""
    groups: set[frozenset[str]] = set()
    for at, figure in enumerate(figures):
        like = {each.strategy for each in figures[:at] if order(each, figure) is Order.UNKNOWN}
        groups |= {frozenset({figure.strategy, *(group & like)}) for group in [*groups, frozenset[str]()]}
    names = [figure.strategy for figure in figures]
    return [
        [name for name in names if name in group]
        for group in sorted(groups, key=lambda group: [name in group for name in names], reverse=True)
        if len(group) > 1 and not any(group < other for other in groups)
    ]


def alike_sentence(columns: Iterable[SummaryColumn], estimates: CellFigures, names: Iterable[str]) -> str:
    """A sentence on the rows of a table that cannot be distinguished; empty if all can."""
    names, parts = list(names), []
    for column in columns:
        metric, dataframe = column.metric.id, column.dataframe
        figures = [
            CellFigure(estimate, metric, name, dataframe)
            for name in names
            if (estimate := estimates(name, metric, dataframe))
        ]
        if groups := alike(figures):
            parts.append(f"{column.heading}: {'; '.join(map(enumerated, groups))}.")
    return " ".join([f"These rows {Order.UNKNOWN}.", *parts]) if parts else ""


def enumerated(names: Sequence[str]) -> str:
    """`a`, `b` and `c`, each as code."""
    *most, last = (f"`{name}`" for name in names)
    return f"{', '.join(most)} and {last}"

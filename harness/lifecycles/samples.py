"""A lifecycle that counts, and the figures that are read from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
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
    page_tables: int
    """Memory after the second row, at the barrier (`harness.system.memory`)."""
    collections: tuple[tuple[int, int, int], ...] = ()
    """Garbage collections by phase (start, engine, first row, second row) and generation."""
    collect: float | None = None
    """A full garbage collection after all else; not every worker is asked for it."""
    uss_collected: int | None = None
    """Unique memory after that collection."""

    @classmethod
    def from_report(cls, seen: dict[str, Any], first: bool) -> "Lifecycle":
        worker = seen["worker"]

        def seconds(earlier: int, later: int) -> float:
            return (later - earlier) * NANOSECOND

        # Forked, a worker goes on counting from its parent's collections; else it began at none.
        counted = [seen["collections"] if worker["mark"] else [0, 0, 0], *worker["collections"]]
        return cls(
            first=first,
            blocked=seconds(seen["called"], seen["returned"]),
            start=seconds(seen["called"], worker["started"]),
            engine=seconds(worker["started"], worker["usable"]),
            first_row=seconds(worker["usable"], worker["first_row"]),
            second_row=seconds(worker["first_row"], worker["second_row"]),
            exit=seconds(seen["released"], seen["reaped"]),
            **worker["memory"],
            collections=tuple(
                (now[0] - before[0], now[1] - before[1], now[2] - before[2])
                for before, now in pairwise(counted)
            ),
            collect=worker["collect"] * NANOSECOND if "collect" in worker else None,
            uss_collected=worker["memory_collected"]["uss"] if "collect" in worker else None,
        )

    @property
    def first_query(self) -> float:
        """First line of the worker function -> first result fetched."""
        return self.engine + self.first_row

    @property
    def time_to_first_row(self) -> float:
        """`Process.start()` called -> first result fetched: what a user waits for."""
        return self.start + self.first_query


METRICS: dict[str, Callable[[Lifecycle], float | None]] = {
    "startup": lambda life: life.start,
    "engine": lambda life: life.engine,
    "first_query": lambda life: life.first_query,
    "time_to_first_row": lambda life: life.time_to_first_row,
    "second_query": lambda life: life.second_row,
    "blocked": lambda life: life.blocked,
    "exit": lambda life: life.exit,
    "uss": lambda life: life.uss,
    "pss": lambda life: life.pss,
    "rss": lambda life: life.rss,
    "peak": lambda life: life.peak,
    "page_tables": lambda life: life.page_tables,
    "collect": lambda life: life.collect,
    "uss_collected": lambda life: life.uss_collected,
}

BYTES = ("uss", "pss", "rss", "peak", "page_tables", "uss_collected")
"""Metrics in bytes; all others are in seconds."""

LEAST_CHANGE = {"seconds": 0.01, "bytes": 0.005}
"""The least relative change that is called one, by unit. What is smaller, however sure, comes from how memory
happens to lie, or from what else the machine does."""

LAYOUT = 64 * 1024
"""The least change of a worker's memory in bytes. How many pages of its parent a forked worker writes to
depends on where objects happen to lie, and that on as little as a path: the same release in another folder
took seven pages more, 0.8 % (0.1 to 1.5, by 16 pairs), and differences that add none, ten to seventeen."""


LAYOUT_SECONDS = 5e-6
"""The same of a worker's times, for a page that is written to has to be copied first: the same release in two
other folders took 2.7 microseconds less and 4.2 more to make an engine, of 30 (20 pairs each)."""


def least_change(metric: str, value: float, of: str = "") -> float:
    """The least relative change of a figure of that size that is called one; `of` is its unit, else ours."""
    kind = of or unit(metric)
    if metric == "page_tables":
        return LEAST_CHANGE[kind]
    layout = {"bytes": LAYOUT, "seconds": LAYOUT_SECONDS}
    return max(LEAST_CHANGE[kind], layout[kind] / value)


def unit(metric: str) -> str:
    return "bytes" if metric in BYTES else "seconds"


def of_parent(lives: Sequence[Lifecycle]) -> dict[str, float]:
    """What one parent's workers say: of each metric the median of all but the first worker.

    Workers of one parent resemble one another more than those of two do: a parent is one sample. The first
    worker also starts multiprocessing's helpers; `first_worker` is its time to the first row.
    """
    found: dict[str, float] = {}
    for metric, read in METRICS.items():
        values = [value for life in lives if not life.first and (value := read(life)) is not None]
        if values:
            found[metric] = median(values)
    firsts = [life.time_to_first_row for life in lives if life.first]
    return {**found, "first_worker": median(firsts)} if firsts else found


def spread(low: float, median: float, high: float, factor: float) -> str:
    """A median ± half of the distance between `low` and `high`, times `factor`."""
    return f"{digits(median * factor)} ±{digits((high - low) / 2 * factor)}"


def digits(value: float) -> str:
    """No more digits than such figures are worth."""
    if value >= 99.5:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2f}" if value >= 0.005 else "0"

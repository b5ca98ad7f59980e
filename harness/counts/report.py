"""Counts as tables, and the time that a distant server adds to them."""

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.table import Table

from harness.counts.registry import COUNTS

DISTANCES = (0.001, 0.01, 0.05)
"""Seconds of a round trip to the server: in the same building, country, continent."""

COLUMNS = {
    "statements": ("statements_first_query", "statements_second_query"),
    "trips": ("round_trips_first_query", "round_trips_second_query"),
    "calls": ("calls_first_query", "calls_second_query"),
}
"""The counts of the first and the second query."""

Figures = Mapping[str, Mapping[str, float]]
"""By strategy and id (`harness.counts.registry`)."""


def added(round_trips: float, distance: float) -> float:
    """Seconds that these round trips take more over a distance in seconds."""
    return round_trips * distance


def relative_change(before: float, after: float) -> str:
    return f"{after / before - 1:+.1%}" if before else "new"


def changed(name: str, before: float, after: float) -> str:
    """A changed count in words."""
    return f"{after:.0f} instead of {before:.0f} {COUNTS[name].title} ({relative_change(before, after)})"


def figures(counts: Figures, title: str) -> Table:
    """A table with a row for each strategy: first query / second query."""
    table = started(title, [*COLUMNS, "modules", "KiB of code"])
    for strategy, values in counts.items():
        table.add_row(
            strategy,
            *(f"{values[first]:.0f} / {values[second]:.0f}" for first, second in COLUMNS.values()),
            f"{values['modules']:.0f}",
            f"{values['code_bytes'] / 1024:.0f}",
        )
    return table


def distances(counts: Figures, seconds: Sequence[float] = DISTANCES) -> Table:
    """A table of the ms that a distant server adds to a first query / a second query."""
    table = started(
        "First / second query: ms added by the way to the server and back",
        [f"{distance * 1e3:g} ms away" for distance in seconds],
    )
    first, second = COLUMNS["trips"]
    for strategy, values in counts.items():
        table.add_row(
            strategy,
            *(
                f"{added(values[first], distance) * 1e3:g} / {added(values[second], distance) * 1e3:g}"
                for distance in seconds
            ),
        )
    return table


def started(title: str, columns: Iterable[str]) -> Table:
    """An empty table with a column for the strategy and these for numbers."""
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("strategy", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table

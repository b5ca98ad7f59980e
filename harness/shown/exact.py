"""Exact figures as tables, and what a server's distance adds to a query: arithmetic."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table

DISTANCES = (0.001, 0.01, 0.05)
"""Seconds to the server and back: a building, a country, a continent."""

ROWS = {
    "statements, first query": "statements_first_query",
    "statements, second query": "statements_second_query",
    "round trips, first query": "round_trips_first_query",
    "round trips, second query": "round_trips_second_query",
    "modules": "modules",
    "KiB of code": "code_bytes",
    "calls, first query": "calls_first_query",
    "calls, second query": "calls_second_query",
}

Figures = Mapping[str, Mapping[str, float]]
"""By strategy and name (`harness.outside.exact.Counts.figures`)."""


def added(round_trips: float, distance: float) -> float:
    """Seconds that so many round trips over a distance take, beyond what they take without one."""
    return round_trips * distance


def figures(found: Figures, title: str) -> Table:
    made = started(title, found)
    for text, name in ROWS.items():
        factor = 1 / 1024 if name == "code_bytes" else 1
        made.add_row(text, *(f"{each[name] * factor:.0f}" for each in found.values()))
    return made


def distances(found: Figures, of: Sequence[float] = DISTANCES) -> Table:
    """What a first query and a second one cost more, in ms, where the server is far away."""
    made = started("Added where the server is so many ms away, there and back, in ms", found)
    for query, name in (("first query", "round_trips_first_query"), ("second", "round_trips_second_query")):
        for distance in of:
            made.add_row(
                f"{query}, {distance * 1e3:g} ms away",
                *(f"{added(each[name], distance) * 1e3:g}" for each in found.values()),
            )
    return made


def started(title: str, found: Figures) -> Table:
    made = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    made.add_column("")
    for strategy in found:
        # A name of two words may take two lines.
        made.add_column(strategy.replace("_", "_\u200b"), justify="right")
    return made

"""Exact figures as tables, and what a server's distance adds to a query: arithmetic."""

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.table import Table

DISTANCES = (0.001, 0.01, 0.05)
"""Seconds to the server and back: a building, a country, a continent."""

COLUMNS = {
    "statements": ("statements_first_query", "statements_second_query"),
    "trips": ("round_trips_first_query", "round_trips_second_query"),
    "calls": ("calls_first_query", "calls_second_query"),
}
"""Of the first query and of the second."""

COUNTED = {
    "modules": "modules",
    "code_bytes": "bytes of code",
    "calls_first_query": "calls of Python functions in the first query",
    "calls_second_query": "calls of Python functions in the second query",
    "statements_first_query": "statements in the first query",
    "statements_second_query": "statements in the second query",
    "round_trips_first_query": "round trips in the first query",
    "round_trips_second_query": "round trips in the second query",
}
"""What is counted of SQLAlchemy's work, in words."""

Figures = Mapping[str, Mapping[str, float]]
"""By strategy and name (`harness.counts.count.Counts.figures`)."""


def added(round_trips: float, distance: float) -> float:
    """Seconds that so many round trips over a distance take, beyond what they take without one."""
    return round_trips * distance


def ratio(was: float, now: float) -> str:
    return f"{now / was - 1:+.1%}" if was else "new"


def changed(name: str, was: float, now: float) -> str:
    """A count that is not what it was, in words."""
    return f"{now:.0f} instead of {was:.0f} {COUNTED[name]} ({ratio(was, now)})"


def figures(found: Figures, title: str) -> Table:
    """A row a strategy; of the first query / of the second."""
    made = started(title, [*COLUMNS, "modules", "KiB of code"])
    for strategy, each in found.items():
        made.add_row(
            strategy,
            *(f"{each[first]:.0f} / {each[second]:.0f}" for first, second in COLUMNS.values()),
            f"{each['modules']:.0f}",
            f"{each['code_bytes'] / 1024:.0f}",
        )
    return made


def distances(found: Figures, of: Sequence[float] = DISTANCES) -> Table:
    """What a first query / a second one cost more, in ms, where the server is far away."""
    made = started(
        "First / second query: ms added by the way to the server and back",
        [f"{distance * 1e3:g} ms away" for distance in of],
    )
    first, second = COLUMNS["trips"]
    for strategy, each in found.items():
        made.add_row(
            strategy,
            *(
                f"{added(each[first], distance) * 1e3:g} / {added(each[second], distance) * 1e3:g}"
                for distance in of
            ),
        )
    return made


def started(title: str, columns: Iterable[str]) -> Table:
    made = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    made.add_column("strategy", no_wrap=True)
    for column in columns:
        made.add_column(column, justify="right", no_wrap=True)
    return made

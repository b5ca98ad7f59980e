"""Counts as tables, and the time that a distant server adds to them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness import strategies
from harness.console import output, terminal
from harness.counts.count import Counts
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


def relative_change(before: float, after: float) -> str:
    return f"{after / before - 1:+.1%}" if before else "new"


def changed(name: str, before: float, after: float) -> str:
    """A changed count in words."""
    return f"{after:.0f} instead of {before:.0f} {COUNTS[name].title} ({relative_change(before, after)})"


FIELDS = ("sqlalchemy", "strategy", "count", "unit", "value")
"""Of `poolstart explain RELEASE --csv`, a row a count."""


def write(release: str, counts: Mapping[str, Counts], form: str) -> None:
    """Print the counts of a release as `table`, `json`, `csv` or `markdown`."""
    figures = {name: result.figures for name, result in counts.items()}
    content = {name: asdict(result) for name, result in counts.items()}
    output.write(form, FIELDS, records(release, figures), lambda: show(release, figures), content)


def records(release: str, counts: Figures) -> Iterator[dict[str, Any]]:
    """A row for each strategy and count, with the keys of `FIELDS`."""
    for strategy, values in counts.items():
        for name, value in values.items():
            unit = COUNTS[name].unit
            yield {"sqlalchemy": release, "strategy": strategy, "count": name, "unit": unit, "value": value}


def show(release: str, counts: Figures) -> None:
    """Print the counts of each strategy, and what a distant server adds to them."""
    console = terminal.output()
    title = f"SQLAlchemy {release}, a worker beside a warm parent: first / second query"
    terminal.print_table(
        console, ["strategy", *COLUMNS, "modules", "KiB of code"], figures(counts), title=title
    )
    terminal.print_table(
        console,
        ["strategy", *(f"{distance * 1e3:g} ms away" for distance in DISTANCES)],
        distances(counts),
        title="First / second query: ms added by the way to the server and back",
    )


def figures(counts: Figures) -> list[list[str]]:
    """A row for each strategy: first query / second query."""
    return [
        [
            strategies.label(strategy),
            *(f"{values[first]:.0f} / {values[second]:.0f}" for first, second in COLUMNS.values()),
            f"{values['modules']:.0f}",
            f"{values['code_bytes'] / 1024:.0f}",
        ]
        for strategy, values in counts.items()
    ]


def distances(counts: Figures, seconds: Sequence[float] = DISTANCES) -> list[list[str]]:
    """A row for each strategy: the ms that a distant server adds to a first query / a second query."""
    first, second = COLUMNS["trips"]
    return [
        [
            strategies.label(strategy),
            *(
                f"{values[first] * distance * 1e3:g} / {values[second] * distance * 1e3:g}"
                for distance in seconds
            ),
        ]
        for strategy, values in counts.items()
    ]

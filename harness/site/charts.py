"""Charts, computed for the templates to draw: positions in percent of a chart's width and height."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, isclose, log10

from harness.answer.figures.results import Figure, ReleaseResults
from harness.console.numbers import display_unit


def percent(part: float) -> str:
    return f"{100 * part:.1f}".removesuffix(".0")


@dataclass(frozen=True)
class Segment:
    """One phase of a bar."""

    phase: str
    width: str
    text: str


@dataclass(frozen=True)
class Bar:
    """The time to the first row: its phases and the interval of the whole, in percent of the axis."""

    segments: tuple[Segment, ...]
    low: str
    span: str
    total: Figure


def bar(release: ReleaseResults, strategy: str, dataframe: str, longest: float) -> Bar | None:
    """The bar of a cell; None if its time to the first row was not measured.

    `longest` is the end of the axis in seconds.
    """
    total = release.of("time_to_first_row", strategy, dataframe)
    if total is None or longest <= 0:
        return None
    startup = release.of("startup", strategy, dataframe)
    query = release.of("first_query", strategy, dataframe)
    engine = release.of("engine", strategy, dataframe)
    lengths: list[tuple[str, float, str]] = []
    if startup:
        lengths.append(("startup", startup.median, startup.text()))
    if engine and query:
        lengths.append(("engine", engine.median, engine.text()))
        rest = max(0.0, query.median - engine.median)
        lengths.append(("first_row", rest, replace(query, median=rest).text()))
    # The medians of the parts do not add up exactly to the median of the whole, which the bar shows.
    scale = total.median / sum(length for _, length, _ in lengths) if lengths else 1.0
    segments = tuple(
        Segment(phase, percent(length * scale / longest), text) for phase, length, text in lengths
    )
    low, high = (min(1.0, bound / longest) for bound in total.span)
    return Bar(segments, percent(low), percent(high - low), total)


def longest(release: ReleaseResults, strategies: Iterable[str], dataframe: str) -> float:
    """The end of the time axis: the highest interval of any strategy."""
    totals = [release.of("time_to_first_row", strategy, dataframe) for strategy in strategies]
    return max((total.span[1] for total in totals if total), default=0.0)


def ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round values between `low` and `high`."""
    if not high > low:
        return []
    rough = (high - low) / wanted
    size = 10.0 ** floor(log10(rough))
    step = next(
        size * factor
        for factor in (1, 2, 2.5, 5, 10)
        if size * factor >= rough or isclose(size * factor, rough)
    )
    first = ceil(low / step - 1e-9)
    return [number * step for number in range(first, int(high / step + 1e-9) + 1)]


@dataclass(frozen=True)
class Panel:
    """One metric of one cell over the releases: a line, its intervals, and its steps."""

    line: str
    band: str
    steps: tuple[tuple[str, str], ...]
    """The position from the left in percent, and the release."""
    rows: tuple[tuple[str, str], ...]
    """The position from the top in percent, and the text of the tick."""
    unit: str


WIDTH, HEIGHT = 1000.0, 200.0
"""The size of a chart in its own coordinates; the page stretches it."""


def path(points: Sequence[tuple[int, int]]) -> str:
    """An SVG path through points, each relative to the one before: the shortest form."""
    (left, top), parts = points[0], []
    parts.append(f"M{left} {top}l")
    for number, (x, y) in enumerate(points[1:]):
        parts.append(f"{' ' if number and x >= left else ''}{x - left}{' ' if y >= top else ''}{y - top}")
        left, top = x, y
    return "".join(parts)


def panel(
    releases: Sequence[str], figures: Sequence[Figure | None], unit: str, stepped: Iterable[str]
) -> Panel | None:
    """The chart of a metric; None if there is nothing to draw. `stepped` are the releases with a step."""
    known = [figure for figure in figures if figure]
    if not known:
        return None
    low, high = min(figure.span[0] for figure in known), max(figure.span[1] for figure in known)
    # The axis covers at least a twentieth of the figure; with a smaller range every series looks like noise.
    middle, least = (low + high) / 2, 0.05 * (low + high) / 2
    half = max((high - low) / 2, least) * 1.08
    bottom, top = middle - half, middle + half
    name, factor = display_unit(unit)

    def x(number: int) -> int:
        return round(WIDTH * (number + 0.5) / len(releases))

    def y(value: float) -> int:
        return round(HEIGHT * (1 - (value - bottom) / (top - bottom)))

    runs: list[list[tuple[int, Figure]]] = [[]]
    for number, figure in enumerate(figures):
        if figure:
            runs[-1].append((x(number), figure))
        elif runs[-1]:
            runs.append([])
    line = "".join(path([(at, y(figure.median)) for at, figure in run]) for run in runs if run)
    band = "".join(
        path(
            [(at, y(figure.span[1])) for at, figure in run]
            + [(at, y(figure.span[0])) for at, figure in run[::-1]]
        )
        + "z"
        for run in runs
        if run
    )
    marked = set(stepped)
    return Panel(
        line,
        band,
        tuple(
            (percent(number / len(releases)), release)
            for number, release in enumerate(releases)
            if release in marked
        ),
        tuple(
            (percent(y(value / factor) / HEIGHT), f"{value:g}")
            for value in ticks(bottom * factor, top * factor, 3)
        ),
        name,
    )

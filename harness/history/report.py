"""Change points in the terminal: what changed in which release, and how small a change would be found."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from harness.console import numbers, output, terminal
from harness.history.change_point import ChangePoint, ChangePoints, MinimumDetectableChange

K = TypeVar("K", bound=Hashable)


COLUMNS = (
    "machine", "environment", "release", "previous", "figure", "strategy", "dataframe", "unit", "before",
    "after", "ratio", "low", "high", "retest", "reason",
)  # fmt: skip
"""Of `poolstart changes --csv`, a row a change point: levels, their ratio and its 99 % interval.

A candidate has a reason for doubt.
"""

KINDS = {"seconds": "times", "bytes": "memory"}
"""What figures are of, by unit; the rest are counts."""


def write(
    change_points: ChangePoints,
    min_releases: int,
    form: str,
    *,
    candidates: bool,
    first: Callable[[], None] | None = None,
    content: Mapping[str, Any] | None = None,
) -> None:
    """Print change points as `table`, `json`, `csv` or `markdown`.

    `first` prints what stands before the tables, and `content` is added to the JSON.
    """

    def show_all() -> None:
        if first:
            first()
        show(change_points, min_releases, candidates=candidates)

    listed = [*change_points.steps, *(change_points.candidates if candidates else ())]
    output.write(
        form,
        COLUMNS,
        map(record, listed),
        show_all,
        {**as_json(change_points), **(content or {})},
    )


def record(change_point: ChangePoint) -> dict[str, Any]:
    """A change point, with the keys of `COLUMNS`."""
    key = change_point.key
    strategy, dataframe = key.parameters
    return {
        "machine": key.machine,
        "environment": key.environment,
        "release": change_point.release,
        "previous": change_point.previous,
        "figure": key.metric,
        "strategy": strategy,
        "dataframe": dataframe,
        **{name: getattr(change_point, name) for name in ("unit", "before", "after", "ratio", "low", "high")},
        "retest": change_point.retest.outcome if change_point.retest else "",
        "reason": change_point.reason,
    }


def show(change_points: ChangePoints, min_releases: int, *, candidates: bool) -> None:
    """Print real steps: first a line a release, then a line a release and metric.

    Then candidates with their reasons, and the smallest changes that would be found.
    """
    console = terminal.output()
    by_place = grouped(change_points.steps, place_of)
    for place, steps in by_place.items():
        by_release = grouped(steps, lambda step: step.release)
        terminal.print_table(
            console,
            ["release", *KINDS.values(), "counts"],
            [summary_row(release, of_release) for release, of_release in by_release.items()],
            title=f"Releases with real steps: {place}",
        )
        console.print()
    for place, steps in by_place.items():
        by_metric = grouped(steps, lambda step: (step.release, step.key.metric))
        terminal.print_table(
            console,
            ["release", "figure", "cells", "confirmed", "change", "largest"],
            [row(release, metric, cells) for (release, metric), cells in by_metric.items()],
            title=f"Real steps: {place}",
            left=3,
            keys=2,
        )
        console.print()
    if not change_points.steps:
        terminal.print_text(console, "Real steps: none")
    if minor := change_points.minor:
        terminal.print_text(console, f"{len(minor)} changes of counts by less than 1 % are left out.")
    if candidates:
        for place, doubtful in grouped(change_points.candidates, place_of).items():
            terminal.print_text(console, f"Candidates: {place}")
            terminal.print_pairs(console, [(candidate.release, doubt(candidate)) for candidate in doubtful])
            console.print()
    elif number := len(change_points.candidates):
        terminal.print_text(console, f"{number} candidates more: --candidates shows them.\n")
    if change_points.minimum_detectable:
        terminal.print_table(
            console,
            ["figure", "steadiest cell", "least steady cell"],
            list(extremes(change_points.minimum_detectable)),
            title="The smallest change that would be found",
            left=3,
        )
    else:
        terminal.print_text(
            console,
            f"No series has the {min_releases} releases that an estimate of its noise needs: "
            "measure them with `poolstart record history`",
        )


def summary_row(release: str, steps: Sequence[ChangePoint]) -> list[terminal.Cell]:
    """One release: how far times, memory and counts changed."""
    changes: dict[str, list[float]] = {}
    for step in steps:
        changes.setdefault(KINDS.get(step.unit, "counts"), []).append(step.ratio - 1)
    return [release, *(size_range(changes.get(kind, [])) for kind in (*KINDS.values(), "counts"))]


def size_range(changes: Sequence[float]) -> str:
    """`+1.5% to +3.0%`: the smallest and the largest change; empty without any."""
    return (
        " to ".join(dict.fromkeys(f"{change:+.1%}" for change in (min(changes), max(changes))))
        if changes
        else ""
    )


def as_json(change_points: ChangePoints) -> dict[str, Any]:
    """The steps, the candidates and the smallest changes that would be detected, for `json.dumps`."""
    return {
        "steps": [asdict(step) for step in change_points.steps],
        "candidates": [asdict(step) for step in change_points.candidates],
        "minimum_detectable": [asdict(minimum) for minimum in change_points.minimum_detectable],
    }


def place_of(change_point: ChangePoint) -> str:
    """Machine and environment: series of different ones are never mixed."""
    return f"{change_point.key.machine}, {change_point.key.environment}"


def grouped(
    change_points: Iterable[ChangePoint], by: Callable[[ChangePoint], K]
) -> dict[K, list[ChangePoint]]:
    groups: dict[K, list[ChangePoint]] = {}
    for change_point in change_points:
        groups.setdefault(by(change_point), []).append(change_point)
    return groups


def row(release: str, metric: str, steps: Sequence[ChangePoint]) -> list[terminal.Cell]:
    """One metric in one release: in how many cells it changed, by how much, and where by most."""
    largest = max(steps, key=lambda step: abs(step.ratio - 1))
    change = size_range([step.ratio - 1 for step in steps])
    return [
        release, metric, str(len(steps)), confirmed(steps), change, f"{sizes(largest)} {largest.key.cell}"
    ]  # fmt: skip


def confirmed(steps: Iterable[ChangePoint]) -> str:
    """The number of cells that a retest confirmed; empty where none was measured again."""
    outcomes = [step.retest.outcome for step in steps if step.retest]
    return str(outcomes.count("confirmed")) if outcomes else ""


def sizes(change_point: ChangePoint) -> str:
    """The levels before and after, with their unit."""
    unit, factor = numbers.display_unit(change_point.unit)
    return f"{change_point.before * factor:.4g} -> {change_point.after * factor:.4g} {unit}"


def doubt(candidate: ChangePoint) -> str:
    """A candidate with its size, its reason and what a retest said."""
    key = candidate.key
    reasons = "; ".join(filter(None, (candidate.reason, str(candidate.retest or ""))))
    return f"{key.metric} ({key.cell}) {candidate.ratio - 1:+.1%}, {sizes(candidate)}: {reasons}"


def extremes(minimum_detectable: Iterable[MinimumDetectableChange]) -> Iterable[list[terminal.Cell]]:
    """For each metric the cells with the smallest and the largest minimum detectable change."""
    by_metric: dict[str, list[tuple[float, str]]] = {}
    for minimum in minimum_detectable:
        by_metric.setdefault(minimum.key.metric, []).append((minimum.change, minimum.key.cell))
    for metric, cells in sorted(by_metric.items()):
        (low, steady), (high, unsteady) = min(cells), max(cells)
        yield [metric, f"{low:.1%} {steady}", f"{high:.1%} {unsteady}"]

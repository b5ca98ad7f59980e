"""Two releases side by side: every metric of every cell, and the steps between them.

Without JavaScript the page shows two releases; `static/site.js` shows any two, from `data/figures.json`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any

from harness.drivers import PSYCOPG2, UPGRADE, default_driver
from harness.hazards.expected import series
from harness.lifecycles.intervals import caption
from harness.lifecycles.metrics import Metric
from harness.site.context import File, TestBedContext
from harness.site.history import CellStep, change, change_range
from harness.site.results import ReleaseFigures, shown_figures

SECTION, ADDRESS, PER_TEST_BED = "Releases", "compare.html", True

Cell = tuple[str, str]
"""Strategy and DataFrame setting."""


def pages(context: TestBedContext) -> Iterator[File]:
    before, after = compared(context)
    metrics = context.metrics
    between = context.history.between(before, after)
    yield context.page(
        ADDRESS,
        "compare.html.j2",
        SECTION,
        title="Two releases side by side",
        before=before,
        after=after,
        upgrade=UPGRADE,
        same_driver=default_driver(before) == default_driver(after),
        rows=list(rows(context, metrics, before, after)),
        caption=caption(metrics),
        summary=summary(metrics, between, context.history.without_steps),
    )
    yield f"{context.prefix}data/figures.json", json.dumps(figures(context, metrics), separators=(",", ":"))


def compared(context: TestBedContext) -> tuple[str, str]:
    """The two releases that are shown first: the newest, and the last one of the series before."""
    after = context.versions[-1]
    others = [version for version in context.versions if series(version) != series(after)]
    return (others[-1] if others else context.versions[0]), after


def cells(context: TestBedContext) -> list[Cell]:
    return [(name, dataframe) for dataframe in context.bed.newest.dataframes for name in context.strategies]


def rows(
    context: TestBedContext, metrics: Iterable[Metric], before: str, after: str
) -> Iterator[dict[str, str]]:
    """A row for each metric and cell that both releases have."""
    first, second = context.bed.releases[before], context.bed.releases[after]
    between = context.history.between(before, after)
    for metric in metrics:
        for cell in cells(context):
            steps = [step for step in between if (step.metric.id, step.cell) == (metric.id, cell)]
            if compared_row := row(metric, cell, first, second, steps):
                yield compared_row


def row(
    metric: Metric, cell: Cell, first: ReleaseFigures, second: ReleaseFigures, steps: Iterable[CellStep]
) -> dict[str, str] | None:
    """None if one of the releases lacks the figure."""
    older, newer = (release.of(metric.id, *cell) for release in (first, second))
    if not older or not newer:
        return None
    return {
        "title": metric.heading,
        "strategy": cell[0],
        "dataframe": cell[1],
        "unit": metric.display_unit,
        "before": f"{older.text()} {older.plus_minus()}",
        "after": f"{newer.text()} {newer.plus_minus()}",
        "change": change(newer.median / older.median) if older.median else "",
        "steps": ", ".join(f"{step.release} {step.change}" for step in steps),
    }


def summary(metrics: Iterable[Metric], between: Sequence[CellStep], without_steps: str) -> list[str]:
    """The real changes between two releases, a sentence for each metric; then the metrics without one."""
    sentences, unchanged = [], []
    for metric in metrics:
        ratios: dict[Cell, list[float]] = {}
        for step in between:
            if step.metric.id == metric.id:
                ratios.setdefault(step.cell, []).append(step.ratio)
        if ratios:
            size = change_range([prod(steps) for steps in ratios.values()])
            number = f"{len(ratios)} {'cell' if len(ratios) == 1 else 'cells'}"
            sentences.append(f"{metric.heading}: {size} in {number}")
        else:
            unchanged.append(metric.title)
    if unchanged:
        sentences.append(f"{without_steps}: {', '.join(unchanged)}")
    return sentences


def short(value: float) -> float:
    """The number that JSON writes in the fewest characters: `17` instead of `17.0`."""
    return int(value) if value.is_integer() else value


def figures(context: TestBedContext, metrics: Sequence[Metric]) -> dict[str, Any]:
    """The medians of all releases, for the script that compares any two."""
    shown = cells(context)
    return {
        "releases": context.versions,
        # The number of releases before psycopg 3 became the driver of a URL that names none.
        "psycopg2": [default_driver(version) for version in context.versions].count(PSYCOPG2),
        "metrics": [[metric.id, metric.heading, metric.display_unit] for metric in metrics],
        "cells": shown,
        "medians": {
            metric.id: [
                [shown_figures(release.of(metric.id, *cell), 7)[0] for cell in shown]
                for release in context.releases
            ]
            for metric in metrics
        },
        # Half of the intervals in the unit that is shown.
        "within": {
            metric.id: [
                [short(figure.half) if (figure := release.of(metric.id, *cell)) else None for cell in shown]
                for release in context.releases
            ]
            for metric in metrics
        },
        "without_steps": context.history.without_steps,
        "steps": [
            [step.release, step.metric.id, *step.cell, round(step.ratio, 5)] for step in context.history.steps
        ],
    }

"""Two releases side by side: the level of every metric, and the steps between them.

Only strategies that are paired are shown, since others would seem unchanged.

`static/compare.js` shows any two releases from the figures in the page, because a page opened from a file
cannot load any. Without JavaScript, readers have the pages of the releases.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from harness.console.numbers import digits, display_unit
from harness.drivers import PSYCOPG2, UPGRADE, default_driver
from harness.hazards.expected import series
from harness.history import reference, report
from harness.lifecycles.metrics import Metric
from harness.site.context import File, TestBedContext

SECTION, ADDRESS, PER_TEST_BED = "Releases", "compare.html", True


def pages(context: TestBedContext) -> Iterator[File]:
    before, after = compared(context)
    yield context.page(
        ADDRESS,
        "compare.html.j2",
        SECTION,
        title="Two releases side by side",
        before=before,
        after=after,
        upgrade=UPGRADE,
        pairs=reference.DECIDING,
        coverage=report.coverage(),
        figures=figures(context),
    )


def compared(context: TestBedContext) -> tuple[str, str]:
    """The two releases that are shown first: the newest, and the last one of the series before."""
    after = context.versions[-1]
    others = [version for version in context.versions if series(version) != series(after)]
    return (others[-1] if others else context.versions[0]), after


def paired(context: TestBedContext) -> list[str]:
    """The strategies that are shown."""
    return [name for name in context.strategies if name in reference.STRATEGIES]


def detectable(context: TestBedContext, metric: Metric) -> str:
    """`1.1 % to 2.3 %`: the smallest change that pairs find, for the steadiest and the noisiest strategy.

    Empty if unknown.
    """
    found = context.history.detectable.get(metric.id, ())
    return " to ".join(dict.fromkeys(f"{size * 100:.1f} %" for size in found))


def level_texts(context: TestBedContext, metric: Metric, strategy: str) -> list[str | None]:
    """The level of each release in the unit that is shown; None for one without this figure."""
    factor = display_unit(metric.unit)[1]
    levels = context.history.levels(context.releases, metric.id, strategy)
    return [None if level is None else digits(level * factor) for level in levels]


def figures(context: TestBedContext) -> dict[str, Any]:
    """The script's data to compare any two releases; releases, metrics and strategies are numbered."""
    versions, metrics, shown = context.versions, context.metrics, paired(context)
    return {
        "releases": versions,
        # The number of releases before psycopg 3 became the driver of a URL that names none.
        "psycopg2": [default_driver(version) for version in versions].count(PSYCOPG2),
        "strategies": shown,
        "metrics": [
            {
                "title": metric.heading,
                "unit": metric.display_unit,
                "levels": [runs(level_texts(context, metric, name)) for name in shown],
                "detectable": detectable(context, metric),
            }
            for metric in metrics
        ],
        "steps": [
            [
                versions.index(step.release),
                metrics.index(step.metric),
                shown.index(step.strategy),
                round(step.ratio, 7),
            ]
            for step in context.history.steps
            if step.metric in metrics and step.strategy in shown
        ],
    }


def runs(levels: Sequence[str | None]) -> list[tuple[int, str | None]]:
    """Each level with the number of the first release at which it applies."""
    return [(at, level) for at, level in enumerate(levels) if at == 0 or level != levels[at - 1]]

"""Each metric over the releases: its changes, and a chart for each strategy."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from packaging.version import Version

from harness.answer.figures.results import DATAFRAME_TITLES
from harness.hazards.expected import series
from harness.history import reference
from harness.history import report as history
from harness.instructions import report
from harness.instructions.table import TOTAL
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Metric, Table
from harness.site import charts
from harness.site.context import File, TestBedContext
from harness.site.history import MIN_RELEASES, StepGroup, step_groups
from harness.site.pages import compare

SECTION, ADDRESS, PER_TEST_BED = "Releases", "releases.html", True


def pages(context: TestBedContext) -> Iterator[File]:
    for metric in charted(context):
        yield page(context, metric)


def charted(context: TestBedContext) -> list[Metric]:
    """The metrics with a page of their own: only one if the test bed has too few releases for a history."""
    return context.metrics if len(context.releases) >= MIN_RELEASES else context.metrics[:1]


def address_of(context: TestBedContext, metric: Metric) -> str:
    """The address of a metric's page; the first metric is on the page of the section."""
    return ADDRESS if metric == context.metrics[0] else f"figures/{metric.id}.html"


def page(context: TestBedContext, metric: Metric) -> File:
    versions = context.versions
    first = address_of(context, metric) == ADDRESS
    return context.page(
        address_of(context, metric),
        "releases.html.j2",
        SECTION,
        title=f"{metric.heading} over releases",
        heading="What SQLAlchemy's releases changed" if first else metric.heading,
        first=first,
        compared=compare.compared(context),
        changed=changed_releases(context) if first else [],
        minor=history.MINOR,
        coverage=history.coverage(),
        instructions=instructions(context) if first else [],
        counted=context.site.instructions if context.bed.is_reference else None,
        phases=report.TITLES,
        blind=report.BLIND,
        metric=metric,
        metrics=[(each.id, each.heading, address_of(context, each)) for each in charted(context)],
        frames=metric_charts(context, metric),
        releases=versions,
        newest=versions[-1],
        release=context.bed.newest,
        series=[
            (charts.percent(number / len(versions)), series(version))
            for number, version in enumerate(versions)
            if number == 0 or series(version) != series(versions[number - 1])
        ],
        by_series=releases_by_series(context),
    )


@dataclass(frozen=True)
class ChangedRelease:
    """The changes of one release."""

    version: str
    measured: bool
    """Whether it has a page. For a release that has just appeared, only instructions are known."""
    instructions: str
    """The change of all instructions of a spawned worker; empty if they did not change."""
    groups: list[StepGroup]
    """The changes of metrics that users notice."""
    others: list[tuple[str, str]]
    """Title and change of all other figures."""
    minor: bool
    """Whether only counts changed, or the instructions of one phase."""


def changed_releases(context: TestBedContext) -> list[ChangedRelease]:
    """The releases that changed any figure, the newest first."""
    explained = {each.release: each for each in instructions(context)}
    newer = [name for name in explained if Version(name) > Version(context.versions[-1])]
    found = (
        changed_release(context, name, explained.get(name)) for name in [*newer, *context.versions[::-1]]
    )
    return [each for each in found if each]


def changed_release(
    context: TestBedContext, version: str, explained: report.ExplainedChange | None
) -> ChangedRelease | None:
    """The changes of a release; None if there are none."""
    shown, overview = metrics.shown_in(Table.SITE), metrics.shown_in(Table.CHANGE_POINTS)
    groups = step_groups(context.history, version, shown)
    counts = context.history.others_at(version)
    if not (groups or counts or explained):
        return None
    whole = explained.percent(TOTAL) if explained else ""
    return ChangedRelease(
        version,
        version in context.bed.releases,
        whole,
        [group for group in groups if group.metric in overview],
        [(group.metric.title, group.change) for group in groups if group.metric not in overview] + counts,
        not (groups or whole),
    )


def instructions(context: TestBedContext) -> list[report.ExplainedChange]:
    """The releases that changed the instructions of a spawned worker, the newest first."""
    record = context.site.instructions if context.bed.is_reference else None
    return report.explained(record)[::-1] if record else []


def releases_by_series(context: TestBedContext) -> list[tuple[str, list[tuple[str, int]]]]:
    """The releases of each series with the number of figures that changed there, the newest series first."""
    instructed = {each.release for each in instructions(context)}
    numbers = {
        version: len({step.metric.id for step in context.history.at(version)})
        + len(context.history.others_at(version))
        + (version in instructed)
        for version in context.versions
    }
    grouped = [
        (name, [(version, numbers[version]) for version in group]) for name, group in groupby(numbers, series)
    ]
    return grouped[::-1]


def metric_charts(context: TestBedContext, metric: Metric) -> list[dict[str, Any]]:
    """For each DataFrame setting, a chart for each strategy."""
    dataframes = dict.fromkeys(name for release in context.releases for name in release.dataframes)
    return [
        {
            "id": dataframe,
            "title": DATAFRAME_TITLES.get(dataframe, dataframe),
            "charts": [
                drawn
                for strategy in context.strategies
                if (drawn := chart(context, metric, strategy, dataframe))
            ],
        }
        for dataframe in dataframes
    ]


def chart(context: TestBedContext, metric: Metric, strategy: str, dataframe: str) -> dict[str, Any] | None:
    """The chart of one cell over all releases; None if there is nothing to draw."""
    figures = [release.of(metric.id, strategy, dataframe) for release in context.releases]
    steps = context.history.of(metric.id, code_of(strategy))
    panel = charts.panel(context.versions, figures, metric.unit, [step.release for step in steps])
    if panel is None:
        return None
    return {
        "id": strategy,
        "panel": panel,
        "steps": steps,
        "paired": code_of(strategy) in reference.STRATEGIES,
        "pairs_of": pairs_of(strategy, dataframe),
        "summary": "; ".join(f"{step.change} at {step.release}" for step in steps) or "no step",
        "last": figures[-1],
        "medians": " ".join(figure.text() if figure else "-" for figure in figures),
    }


def code_of(strategy: str) -> str:
    """The paired strategy that runs the same code as this one, or this one."""
    return reference.SAME_CODE.get(strategy, strategy)


def pairs_of(strategy: str, dataframe: str) -> str:
    """The pairs that are shown for a cell that was not paired itself; empty if it was, or without any."""
    if (code := code_of(strategy)) not in reference.STRATEGIES:
        return ""
    if code != strategy:
        return f"pairs of `{code}`"
    return "" if dataframe == "none" else "pairs without the DataFrame"

"""One release: its changes against the release before, and its figures."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from harness import strategies
from harness.answer.figures.results import ReleaseResults
from harness.counts import registry
from harness.drivers import upgrade_note
from harness.hazards.hazard import Hazard
from harness.history import causes_report
from harness.history import report as history
from harness.history.causes import changelog
from harness.history.causes_report import MetricStep
from harness.instructions import report
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table
from harness.site.context import File, SiteContext, TestBedContext
from harness.site.history import step_groups
from harness.site.pages import answer

SECTION, ADDRESS, PER_TEST_BED = "Releases", "releases/{version}.html", True


def pages(context: TestBedContext) -> Iterator[File]:
    versions = context.versions
    for before, version, after in zip(["", *versions], versions, [*versions[1:], ""], strict=False):
        yield page(context, before, version, after)


def page(context: TestBedContext, before: str, version: str, after: str) -> File:
    """`before` and `after` are the neighbouring releases, empty at the ends."""
    release = context.bed.releases[version]
    counted = changed_counts(context.bed.releases[before], release) if before else {}
    groups = step_groups(context.history, release.release, metrics.shown_in(Table.SITE))
    return context.page(
        ADDRESS.format(version=version),
        "release.html.j2",
        SECTION,
        title=f"SQLAlchemy {version}",
        release=release,
        before=before,
        after=after,
        upgrade=upgrade_note(before, version) if before else "",
        groups=groups,
        coverage=history.coverage(),
        counted=counted,
        verdicts=changed_verdicts(context.site, before, version) if context.bed.is_reference else [],
        causes=causes(context, before, version, counted) if before and context.bed.is_reference else [],
        instructions=instructions(context.site, before, version) if context.bed.is_reference else None,
        phases=report.TITLES,
        changelog=changelog(version),
        # Advice is for those who choose now, not for readers of an old release.
        tables=[replace(table, notes=[]) for table in answer.tables(context, release)],
    )


def changed_counts(before: ReleaseResults, after: ReleaseResults) -> dict[str, list[str]]:
    """The strategies that each change of a count applies to, by the change in words."""
    by_change: dict[str, list[str]] = {}
    for count in registry.of_work():
        for (name, strategy), now in after.counts.items():
            was = before.counts.get((name, strategy), now)
            if name == count.id and was != now:
                by_change.setdefault(count.changed(was, now), []).append(strategy)
    return by_change


def changed_verdicts(site: SiteContext, before: str, version: str) -> list[tuple[Hazard, str, str]]:
    """The hazard, strategy and new verdict of each trial in which the two releases differ."""
    recorded = site.verdicts
    if not {before, version} <= set(recorded.releases):
        return []
    return [
        (hazard, strategy, verdict)
        for hazard in recorded.hazards
        for strategy in strategies.IDS
        for verdict in [recorded.verdict(hazard.id, strategy, version)]
        if verdict != recorded.verdict(hazard.id, strategy, before)
    ]


def instructions(site: SiteContext, before: str, version: str) -> report.ExplainedChange | None:
    """The change of a spawned worker's instructions at a release, with its causes; None if there is none."""
    record = site.instructions
    changes = report.explained(record) if record else []
    return next((each for each in changes if each.between == (before, version)), None)


def causes(
    context: TestBedContext, before: str, version: str, counted: Mapping[str, Collection[str]]
) -> list[tuple[str, list[str]]]:
    """The recorded causes of a release's steps in sentences, by strategy, and the steps without a cause.

    `counted` are the counts that the page lists already; they are not repeated.
    """
    figures = context.bed.releases[before]

    def level(metric: str, strategy: str, dataframe: str) -> float:
        known = figures.of(metric, strategy, dataframe)
        return known.median if known else 0.0

    steps = [
        MetricStep(step.metric.id, step.strategy, "none", was, was * step.ratio)
        for step in context.history.at(version)
        if (was := level(step.metric.id, step.strategy, "none"))
    ]
    found = []
    for explanation in context.site.causes:
        if (explanation.before, explanation.after) == (before, version):
            unknown = causes_report.unknown(explanation, steps, level)
            sentences = [
                sentence
                for sentence in causes_report.sentences(explanation, unknown)
                if explanation.strategy not in counted.get(sentence, ())
            ]
            if sentences:
                found.append((explanation.strategy, sentences))
    return found

"""The changes of the releases, as the pages of each test bed show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from statistics import median

from asv.util import UserError
from packaging.version import Version

from harness.answer.figures.on_record import TestBed
from harness.answer.figures.results import ReleaseResults
from harness.history import changes, report, series
from harness.history.changes import Changes, CountChange
from harness.history.paired import PairedChange
from harness.history.reference import RatioRow
from harness.instructions.report import relative
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Metric, Table
from harness.releases import stored
from harness.system import files
from harness.system.errors import PoolstartError

MIN_RELEASES = 8
"""The number of releases from which a test bed has a page for each metric."""


@dataclass(frozen=True)
class CellStep:
    """A change of one metric of a paired strategy at a release."""

    release: str
    metric: Metric
    strategy: str
    ratio: float
    low: float
    high: float
    """The 99 % interval of the ratio."""
    pairs: int = 0
    """Pairs of parents that were measured."""

    @property
    def change(self) -> str:
        return relative(self.ratio)

    @property
    def interval(self) -> str:
        return f"{relative(self.low)} to {relative(self.high)}"


@dataclass(frozen=True)
class StepGroup:
    """The steps of one metric at one release."""

    metric: Metric
    steps: tuple[CellStep, ...]

    @property
    def title(self) -> str:
        return self.metric.heading

    @property
    def worse(self) -> bool:
        """Whether it got worse for at least half of the strategies."""
        return sum(step.ratio > 1 for step in self.steps) * 2 >= len(self.steps)

    @property
    def change(self) -> str:
        return report.ratio_range([step.ratio for step in self.steps])


@dataclass(frozen=True)
class BedHistory:
    """The changes between the releases of one test bed. They are the same on every machine."""

    steps: tuple[CellStep, ...] = ()
    detectable: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By metric: the smallest change that pairs find, for the steadiest and the noisiest strategy."""
    others: tuple[PairedChange | CountChange, ...] = ()
    """Those of counts, and of metrics without a page: they are named so that no release is missing."""

    def levels(self, releases: Sequence[ReleaseResults], metric: str, strategy: str) -> list[float | None]:
        """The level of each release without a DataFrame, in seconds or bytes; None if it was not measured.

        A level is constant between steps, and estimated from all releases: the ratios of the steps, scaled to
        the median of all releases. With too few releases for that, it is the measured median.
        """
        figures = [release.of(metric, strategy, "none") for release in releases]
        medians = [figure.median if figure else None for figure in figures]
        if len(releases) < MIN_RELEASES:
            return medians
        steps = self.of(metric, strategy)
        ratios = [
            prod(step.ratio for step in steps if Version(step.release) <= Version(release.release))
            for release in releases
        ]
        known = [value / ratio for value, ratio in zip(medians, ratios, strict=True) if value is not None]
        return [
            None if value is None else median(known) * ratio
            for value, ratio in zip(medians, ratios, strict=True)
        ]

    def others_at(self, release: str) -> list[tuple[str, str]]:
        """The counts and further metrics that changed at a release, each with its changes."""
        ratios: dict[str, list[float]] = {}
        for step in self.others:
            if step.release == release:
                ratios.setdefault(report.title_of(step.metric), []).append(step.ratio)
        return [(title, report.ratio_range(of_title)) for title, of_title in ratios.items()]

    def at(self, release: str) -> list[CellStep]:
        return [step for step in self.steps if step.release == release]

    def of(self, metric: str, strategy: str) -> list[CellStep]:
        return [step for step in self.steps if (step.metric.id, step.strategy) == (metric, strategy)]


def step_groups(history: BedHistory, release: str, shown: Sequence[Metric]) -> list[StepGroup]:
    """The steps of a release by metric, in the order of `shown`."""
    by_metric: dict[str, list[CellStep]] = {}
    for step in history.at(release):
        by_metric.setdefault(step.metric.id, []).append(step)
    return [StepGroup(metric, tuple(by_metric[metric.id])) for metric in shown if metric.id in by_metric]


def detect(
    directory: Path,
    beds: Iterable[TestBed],
    neighbours: Sequence[PairedChange],
    ratios: Sequence[RatioRow],
    remarks: list[str],
) -> dict[str, BedHistory]:
    """The history of each test bed by its key; without counts if results are damaged.

    Releases were compared under the reference Python, so test beds of other Pythons have no history.
    """
    try:
        with files.reading(directory / "benchmarks.json", stored.REMEDY):
            known = series.load(directory)
    except (PoolstartError, UserError) as error:
        remarks.append(f"counts of the releases cannot be compared: {error}")
        known = []
    found = changes.of(known, neighbours, ratios)
    return {bed.key: of_bed(found, bed) if bed.is_reference else BedHistory() for bed in beds}


def of_bed(found: Changes, bed: TestBed) -> BedHistory:
    """The changes between releases that a test bed has."""
    both = set(bed.releases)
    ours = [change for change in found.paired if {change.before, change.release} <= both]
    counts = [change for change in found.counts if {change.before, change.release} <= both]
    changed: list[PairedChange | CountChange] = [*ours, *counts]
    shown = {metric.id: metric for metric in metrics.shown_in(Table.SITE)}
    return BedHistory(
        tuple(
            CellStep(
                each.release, shown[each.metric], each.strategy, each.ratio, each.low, each.high, each.pairs
            )
            for each in ours
            if each.metric in shown
        ),
        report.detectable(found.decided),
        tuple(change for change in changed if change.metric not in shown),
    )

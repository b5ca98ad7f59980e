"""The steps of each test bed's history, as the pages show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from statistics import median

from packaging.version import Version

from harness import strategies
from harness.counts import registry
from harness.history import detect as steps
from harness.history import series
from harness.history.change_point import ChangePoint, ChangePoints
from harness.history.detect import MIN_RELEASES
from harness.history.detector import WINDOW
from harness.history.fit import MIN_SEGMENT
from harness.history.retest import Retest
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Metric, Table
from harness.site.results import ReleaseFigures, TestBed
from harness.system.errors import PoolstartError

TOO_FEW = f"Fewer than {MIN_RELEASES} releases: too few to distinguish a step from noise"


def change(ratio: float) -> str:
    """`+1.5 %` of 1.015, with a minus sign where it is smaller."""
    return f"{(ratio - 1) * 100:+.1f} %".replace("-", "\u2212")


def change_range(ratios: Sequence[float]) -> str:
    """`+1.5 % to +3.0 %`: the smallest and the largest change."""
    low, high = min(ratios), max(ratios)
    return change(low) if low == high else f"{change(low)} to {change(high)}"


@dataclass(frozen=True)
class CellStep:
    """A change of one cell's level at a release."""

    release: str
    metric: Metric
    strategy: str
    dataframe: str
    ratio: float
    low: float
    high: float
    """The 99 % interval of the ratio."""
    retest: str = ""
    """The verdict of a retest: `confirmed` or `undecided`; empty if there was none."""

    @property
    def cell(self) -> tuple[str, str]:
        return self.strategy, self.dataframe

    @property
    def change(self) -> str:
        return change(self.ratio)

    @property
    def interval(self) -> str:
        return f"{change(self.low)} to {change(self.high)}"


@dataclass(frozen=True)
class StepGroup:
    """The steps of one metric at one release."""

    metric: Metric
    steps: tuple[CellStep, ...]
    measured: int
    """How many cells were measured."""

    @property
    def title(self) -> str:
        return self.metric.heading

    @property
    def worse(self) -> bool:
        """Whether at least half of the cells got worse."""
        return sum(step.ratio > 1 for step in self.steps) * 2 >= len(self.steps)

    @property
    def change(self) -> str:
        return change_range([step.ratio for step in self.steps])


@dataclass(frozen=True)
class OtherStep:
    """A change of a count, or of a metric that has no page: named, so that no release is missing."""

    release: str
    title: str
    ratio: float


@dataclass(frozen=True)
class BedHistory:
    """The real steps of one test bed, and the smallest change each series could show."""

    steps: tuple[CellStep, ...] = ()
    candidates: int = 0
    """Changes that noise or drift may explain."""
    minimum_changes: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    """By metric: the smallest change that would be detected, with the cell it applies to."""
    near_an_end: dict[str, list[tuple[float, ...]]] = field(default_factory=dict)
    """By metric, the same of each cell with `MIN_SEGMENT` releases on one side, with one more, and so on."""
    others: tuple[OtherStep, ...] = ()

    @property
    def without_steps(self) -> str:
        """The text for figures without a step: a short series cannot distinguish one from noise."""
        return "No real step" if self.minimum_changes else TOO_FEW

    def detectable(self, metric: str, count: int) -> tuple[float, float] | None:
        """The smallest change that would be detected, in the steadiest and in the noisiest cell.

        `count` is the number of releases on the shorter side. None where it is too small to detect any.
        """
        index = min(count, WINDOW) - MIN_SEGMENT
        changes = [each[index] for each in self.near_an_end.get(metric, ()) if index >= 0]
        return (min(changes), max(changes)) if changes else None

    def levels(
        self, releases: Sequence[ReleaseFigures], metric: str, cell: tuple[str, str]
    ) -> list[float | None]:
        """The level of each release in seconds or bytes; None for one without this figure.

        A level is constant between steps, and estimated from all releases: the steps' ratios, at the height
        of the median release. With too few releases for that, it is the median that was measured.
        """
        figures = [release.of(metric, *cell) for release in releases]
        medians = [figure.median if figure else None for figure in figures]
        if not self.minimum_changes:
            return medians
        steps = self.of(metric, *cell)
        ratios = [
            prod(step.ratio for step in steps if Version(step.release) <= Version(release.version))
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
                ratios.setdefault(step.title, []).append(step.ratio)
        return [(title, change_range(of_title)) for title, of_title in ratios.items()]

    def at(self, release: str) -> list[CellStep]:
        return [step for step in self.steps if step.release == release]

    def of(self, metric: str, strategy: str, dataframe: str) -> list[CellStep]:
        return [step for step in self.steps if (step.metric.id, *step.cell) == (metric, strategy, dataframe)]

    def between(self, before: str, after: str) -> list[CellStep]:
        """The steps after one release, up to and including the other."""
        return [step for step in self.steps if Version(before) < Version(step.release) <= Version(after)]


def step_groups(history: BedHistory, release: ReleaseFigures, shown: Sequence[Metric]) -> list[StepGroup]:
    """The steps of a release by metric, in the order of `shown`."""
    by_metric: dict[str, list[CellStep]] = {}
    for step in history.at(release.version):
        by_metric.setdefault(step.metric.id, []).append(step)
    return [
        StepGroup(metric, tuple(by_metric[metric.id]), sum(key[0] == metric.id for key in release.figures))
        for metric in shown
        if metric.id in by_metric
    ]


def detect(
    directory: Path, beds: Iterable[TestBed], retests: Sequence[Retest], remarks: list[str]
) -> dict[str, BedHistory]:
    """The history of each test bed by its key; empty if there are too few releases, or damaged results."""
    try:
        known = [
            each
            for each in series.load(directory)
            if each.key.benchmark == metrics.CONTROL_BENCHMARK or each.key.parameters[0] in strategies.IDS
        ]
        change_points = steps.change_points(known, retests)
    except (PoolstartError, ValueError, KeyError, TypeError, LookupError, OSError) as error:
        remarks.append(f"no steps could be detected: {str(error) or error!r}")
        change_points = ChangePoints((), ())
    except Exception as error:  # asv's own errors have no base class in common
        if not type(error).__module__.startswith("asv"):
            raise
        remarks.append("no steps could be detected: benchmarks.json is missing or damaged")
        change_points = ChangePoints((), ())
    return {bed.key: of_bed(change_points, bed) for bed in beds}


def of_bed(change_points: ChangePoints, bed: TestBed) -> BedHistory:
    def ours(machine: str, environment: str) -> bool:
        return (machine, environment) == (bed.machine.get("machine"), bed.environment)

    minimum_changes: dict[str, list[tuple[float, str]]] = {}
    near_an_end: dict[str, list[tuple[float, ...]]] = {}
    for floor in change_points.minimum_detectable:
        metric = shown(floor.key.benchmark)
        if metric and ours(floor.key.machine, floor.key.environment):
            minimum_changes.setdefault(metric.id, []).append((floor.change, floor.key.cell))
            near_an_end.setdefault(metric.id, []).append(floor.near_an_end)
    return BedHistory(
        tuple(
            cell_step(step, metric)
            for step in change_points.steps
            if (metric := shown(step.key.benchmark)) and ours(step.key.machine, step.key.environment)
        ),
        sum(ours(step.key.machine, step.key.environment) for step in change_points.candidates),
        minimum_changes,
        near_an_end,
        tuple(
            OtherStep(step.release, title_of(step.key.metric), step.ratio)
            for step in change_points.steps
            if not shown(step.key.benchmark) and ours(step.key.machine, step.key.environment)
        ),
    )


def title_of(name: str) -> str:
    """The title of a metric or count for the middle of a sentence."""
    known = metrics.METRICS.get(name) or registry.COUNTS.get(name)
    return known.title if known else name


def shown(benchmark: str) -> Metric | None:
    """The metric of a benchmark; None for one that the site does not show."""
    metric = metrics.of_benchmark(benchmark)
    return metric if metric and Table.SITE in metric.tables else None


def cell_step(step: ChangePoint, metric: Metric) -> CellStep:
    strategy, dataframe = step.key.parameters
    return CellStep(
        step.release,
        metric,
        strategy,
        dataframe,
        step.ratio,
        step.low,
        step.high,
        step.retest.outcome if step.retest else "",
    )

"""What happened over the releases, as the pages tell it: steps by release, and pictures of a figure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from harness import strategies
from harness.history import detect as steps
from harness.history import series
from harness.history.change_point import ChangePoint, ChangePoints
from harness.history.detect import MIN_RELEASES
from harness.history.retest import Retest
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Metric, Table
from harness.site.data import Origin
from harness.system.errors import PoolstartError


def change(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.1f} %".replace("-", "\u2212")


@dataclass(frozen=True)
class Change:
    """One step of one cell."""

    release: str
    metric: Metric
    strategy: str
    dataframe: str
    ratio: float
    low: float
    high: float
    again: str = ""
    """What both releases said, measured again in turns: `confirmed`, `undecided`; empty where nobody did."""

    @property
    def change(self) -> str:
        return change(self.ratio)

    @property
    def interval(self) -> str:
        return f"{change(self.low)} to {change(self.high)}"


@dataclass(frozen=True)
class Group:
    """The steps of one figure at one release."""

    metric: Metric
    cells: tuple[Change, ...]
    all: int
    """How many cells were measured."""

    @property
    def title(self) -> str:
        return self.metric.heading

    @property
    def worse(self) -> bool:
        return sum(cell.ratio > 1 for cell in self.cells) * 2 >= len(self.cells)

    @property
    def change(self) -> str:
        low, high = min(cell.ratio for cell in self.cells), max(cell.ratio for cell in self.cells)
        return change(low) if low == high else f"{change(low)} to {change(high)}"


@dataclass(frozen=True)
class History:
    """The real steps of one origin, and what each series could show."""

    changes: tuple[Change, ...] = ()
    candidates: int = 0
    floors: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    """By metric: the smallest change that would be found, and in which cell."""

    @property
    def still(self) -> str:
        """What is said of figures without a step: a short series cannot tell one from noise."""
        few = f"Steps are not told from fewer than {MIN_RELEASES} releases"
        return "No real step" if self.floors else few

    def at(self, release: str) -> list[Change]:
        return [each for each in self.changes if each.release == release]

    def of(self, metric: str, strategy: str, dataframe: str) -> list[Change]:
        return [
            each
            for each in self.changes
            if (each.metric.id, each.strategy, each.dataframe) == (metric, strategy, dataframe)
        ]

    def between(self, before: str, after: str) -> list[Change]:
        """After the one release, up to the other."""
        return [each for each in self.changes if Version(before) < Version(each.release) <= Version(after)]


def detect(
    directory: Path, origins: Iterable[Origin], retests: Sequence[Retest], remarks: list[str]
) -> dict[str, History]:
    """The history of each origin, by its environment and machine; empty where there is too little."""
    try:
        known = [
            one
            for one in series.load(directory)
            if one.key.benchmark == metrics.CONTROL_BENCHMARK or one.key.parameters[0] in strategies.IDS
        ]
        change_points = steps.change_points(known, retests)
    except (PoolstartError, ValueError, KeyError, TypeError, LookupError, OSError) as error:
        remarks.append(f"no steps could be told: {str(error) or error!r}")
        change_points = ChangePoints((), ())
    except Exception as error:  # asv's own, which has no type in common with the others
        if not type(error).__module__.startswith("asv"):
            raise
        remarks.append("no steps could be told: benchmarks.json is missing or damaged")
        change_points = ChangePoints((), ())
    return {origin.key: of_origin(change_points, origin) for origin in origins}


def of_origin(change_points: ChangePoints, origin: Origin) -> History:
    def ours(machine: str, environment: str) -> bool:
        return (machine, environment) == (origin.machine.get("machine"), origin.environment)

    floors: dict[str, list[tuple[float, str]]] = {}
    for floor in change_points.minimum_detectable:
        metric = shown(floor.key.benchmark)
        if metric and ours(floor.key.machine, floor.key.environment):
            floors.setdefault(metric.id, []).append((floor.change, floor.key.cell))
    return History(
        tuple(
            changed(step, metric)
            for step in change_points.steps
            if (metric := shown(step.key.benchmark)) and ours(step.key.machine, step.key.environment)
        ),
        sum(ours(step.key.machine, step.key.environment) for step in change_points.candidates),
        floors,
    )


def shown(benchmark: str) -> Metric | None:
    """The metric of a benchmark; None for one that the site does not show."""
    metric = metrics.of_benchmark(benchmark)
    return metric if metric and Table.SITE in metric.tables else None


def changed(step: ChangePoint, metric: Metric) -> Change:
    strategy, dataframe = step.key.parameters
    again = step.retest.outcome if step.retest else ""
    return Change(step.release, metric, strategy, dataframe, step.ratio, step.low, step.high, again)


def grouped(changes: Iterable[Change], cells: Mapping[str, int]) -> list[Group]:
    """By figure, in the order of the figures; `cells` says how many of each were measured."""
    by_metric: dict[str, list[Change]] = {}
    for each in changes:
        by_metric.setdefault(each.metric.id, []).append(each)
    return [
        Group(metric, tuple(by_metric[metric.id]), cells.get(metric.id, len(by_metric[metric.id])))
        for metric in metrics.shown_in(Table.SITE)
        if metric.id in by_metric
    ]

"""A lifecycle that counts, and the samples that are made of several."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from harness.lifecycles import metrics
from harness.lifecycles.messages import LifecycleReport
from harness.lifecycles.metrics import Workers


@dataclass(frozen=True)
class Lifecycle:
    """One worker from start to reaped. Timestamps have a resolution of 1 ns, far below scheduling noise."""

    first: bool
    """Whether it was the first worker of its parent."""
    values: dict[str, float]
    """By metric, in seconds or bytes."""
    collections: tuple[tuple[int, int, int], ...] = ()
    """Garbage collections by phase (start, engine, first row, second row) and generation."""
    driver_to_preload: str = ""
    """Known of a parent's last worker, see `harness.lifecycles.checks.driver_to_preload`."""

    @classmethod
    def from_report(cls, report: LifecycleReport, first: bool, *, driver_to_preload: str = "") -> "Lifecycle":
        """Read every metric from the report of `harness.lifecycles.inside.parent`."""
        worker = report["worker"]
        collected = "collect" in worker
        values = {
            metric.id: metric.source.read({**report, **worker})
            for metric in metrics.METRICS.values()
            if collected or metric.workers is not Workers.LAST
        }
        # A forked worker goes on counting from its parent's collections; another one began at none.
        counts = [report["collections"] if worker["mark"] else [0, 0, 0], *worker["collections"]]
        collections = tuple(
            (now[0] - before[0], now[1] - before[1], now[2] - before[2]) for before, now in pairwise(counts)
        )
        return cls(first, values, collections, driver_to_preload)

    @property
    def samples(self) -> dict[str, float]:
        """The values of the metrics that are read from such a worker: a parent's first, or a later one."""
        return {
            metric: value
            for metric, value in self.values.items()
            if metrics.get(metric).reads(first=self.first)
        }


def of_parent(lifecycles: Sequence[Lifecycle]) -> dict[str, float]:
    """One sample of each metric: the median over the workers of one parent that it is read from.

    Workers of one parent resemble each other more than workers of two parents, so a parent is one sample.
    """
    values: dict[str, list[float]] = {}
    for lifecycle in lifecycles:
        for metric, value in lifecycle.samples.items():
            values.setdefault(metric, []).append(value)
    return {metric: median(of_workers) for metric, of_workers in values.items()}

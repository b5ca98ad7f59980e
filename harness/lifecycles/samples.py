"""The figures of a valid lifecycle, the samples of a parent, and those of the bare start methods."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from harness.lifecycles import metrics
from harness.lifecycles.messages import LifecycleReport
from harness.lifecycles.metrics import Workers
from harness.processes.dialogue import Dialogue
from harness.processes.supervision import Supervision
from harness.system import processors

CONTROL_BOOTS = 4
"""Bare workers for each start method that boots an interpreter; fork has five times as many."""

CONTROL_DEADLINE_S = 60.0
"""Seconds after which the measurement of bare start methods counts as hung."""


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
    """Set for a parent's last worker, see `harness.lifecycles.checks.driver_to_preload`."""

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
        # A forked worker continues to count from its parent's collections; others begin at zero.
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


def bare_starts(supervision: Supervision, python: str | Path) -> dict[str, float]:
    """The median time to the first line of a bare worker in seconds, by start method.

    Raises a subclass of `Rejected` if the measurement fails or hangs.
    """
    command = [python, "-m", "harness.lifecycles.inside.control"]
    with Dialogue(supervision, command, "measuring bare start methods") as program:
        program.ask([processors.MEASURED], CONTROL_DEADLINE_S)
        samples: dict[str, list[float]] = program.ask(CONTROL_BOOTS, CONTROL_DEADLINE_S)
    return {method: median(values) for method, values in samples.items()}

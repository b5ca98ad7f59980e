"""How far medians can be trusted: within a run by an interval, between runs by what ten runs in a row showed.

The interval of a run says nothing about the next run: the machine itself is faster or slower for minutes at a
time. How far runs of one release differ is on record (`poolstart record sensitivity`), and every table says
so.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from math import inf
from pathlib import Path
from statistics import median

from harness.console import numbers
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Metric
from harness.records import store

PATH = store.path("sensitivity")

MIN_SAMPLES = 3
"""Fewer samples have no interval that is worth showing: that of two is forty times as wide as their range."""


def of_median(samples: Sequence[float]) -> tuple[float, float]:
    """asv's 99 % interval of the median; without bounds for fewer than `MIN_SAMPLES`.

    From order statistics, or below eight samples from the posterior of a Laplace distribution
    (`asv_runner.statistics.compute_stats`).
    """
    if len(samples) < MIN_SAMPLES:
        return -inf, inf
    # 15 ms: only tables of new figures pay for it.
    from asv_runner.statistics import compute_stats

    _, stats = compute_stats(list(samples), 1)
    return float(stats["ci_99_a"]), float(stats["ci_99_b"])


def median_with_interval(samples: Sequence[float], factor: float) -> str:
    """The median of samples ± half of its 99 % interval, times `factor`."""
    return numbers.with_interval(median(samples), *of_median(samples), factor)


def relative_range(medians: Sequence[float]) -> float:
    """The range of medians of several runs, relative to their median."""
    return (max(medians) - min(medians)) / median(medians)


@cache
def on_record(path: Path = PATH) -> dict[tuple[str, str, str], float]:
    """By metric, strategy and DataFrame setting: how far the medians of A/A runs differ, relative.

    Empty if no runs are on record. Raises PoolstartError if the record is damaged.
    """
    if not path.exists():
        return {}
    with store.reading(path, "poolstart record sensitivity") as fields:
        return {
            (figure["metric"], figure["strategy"], figure["dataframe"]): relative_range(
                [median(run) for run in figure["runs"]]
            )
            for figure in fields["figures"]
        }


def between_runs(metric: str) -> float | None:
    """The largest relative difference between runs in any cell of a metric; None if it is not on record."""
    return max((spread for (name, *_), spread in on_record().items() if name == metric), default=None)


def widening(metric: str, strategy: str, dataframe: str = "none") -> float:
    """By which part an interval of one run is widened to hold for other runs.

    That of the cell, or else the largest of the metric, or else the largest of any metric of the same unit;
    infinite if nothing is on record.
    """
    known = on_record().get((metric, strategy, dataframe))
    if known is None:
        known = between_runs(metric)
    if known is None:
        unit = metrics.get(metric).unit
        known = max(
            (
                spread
                for (name, *_), spread in on_record().items()
                if name in metrics.METRICS and metrics.get(name).unit == unit
            ),
            default=inf,
        )
    return known


def caption(shown: Iterable[Metric], samples: str = "parents of this run") -> str:
    """What ± means in a table of these metrics, and how far another run may be off, in two sentences.

    `samples` says between what the interval is.
    """
    return f"{numbers.INTERVAL}, between the {samples}. {another_run(shown)}"


def another_run(shown: Iterable[Metric]) -> str:
    """How far these metrics of another run may be off, in a sentence."""
    spreads: dict[str, list[str]] = {}
    missing = []
    for metric in dict.fromkeys(shown):
        spread = between_runs(metric.id)
        if spread is None:
            missing.append(metric.short)
        else:
            spreads.setdefault(percent(spread), []).append(metric.short)
    if not spreads:
        return "How far another run may be off is not on record."
    parts = ", ".join(f"{size} ({', '.join(names)})" for size, names in spreads.items())
    unknown = f"; not on record for {', '.join(missing)}" if missing else ""
    return f"Another run may be off by more: runs in a row differed by up to {parts}{unknown}."


def percent(spread: float) -> str:
    """A relative spread in whole percent, rounded up."""
    return f"{-int(-spread * 100 // 1)} %"

"""Comparisons by simulation: how often `poolstart compare` is wrong, and which changes it finds.

The pairs are drawn from those on record (`harness.history.reference`), less the ratio of their release: what
remains is how far pairs scatter. Metrics of one pair of parents are drawn together, as they were measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np
from scipy.stats import t as student

from harness.comparisons.judge import CONFIDENCE, FALSE_ALARM_RATE
from harness.console import markdown
from harness.history import reference
from harness.history.reference import RatioRow
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table

RUNS, SEED = 2000, 25

PAIRS = (10, 20, 40)

CHANGES = (0.03, 0.05)

CHANGED = ("startup", "spawn")
"""The figure that is changed."""

TOLERATE = 0.03


@dataclass(frozen=True)
class Residuals:
    """Pairs of one strategy: how far each is from the mean of its release."""

    strategy: str
    metrics: tuple[str, ...]
    logs: np.ndarray
    """A row a pair, a column a metric."""
    limits: np.ndarray
    """By metric: the logarithm of the smallest change that counts."""


def residuals(rows: Sequence[RatioRow]) -> list[Residuals]:
    """The residuals of all strategies on record, of the metrics that a comparison shows."""
    found = []
    names = tuple(metric.id for metric in metrics.shown_in(Table.COMPARISON))
    for strategy in dict.fromkeys(row.strategy for row in rows):
        ours = [row for row in rows if row.strategy == strategy]
        known = tuple(name for name in names if all(name in row.screening for row in ours))
        stages = [stage for row in ours for stage in (row.screening, row.deciding) if stage]
        centred = []
        for stage in stages:
            logs = np.array([stage[name] for name in known]).T
            # The mean of few pairs is nearer to them than the true one is.
            centred.append((logs - logs.mean(axis=0)) * (len(logs) / (len(logs) - 1)) ** 0.5)
        limits = [log(1 + metrics.min_relevant_change(name, ours[0].sizes[name])) for name in known]
        found.append(Residuals(strategy, known, np.concatenate(centred), np.array(limits)))
    return found


@dataclass(frozen=True)
class Shares:
    """Shares of simulated comparisons."""

    reported: float
    """That call any figure slower or faster."""
    failed: float
    """Whose exit status is 1: a figure is worse by more than is tolerated."""
    found: float
    """That call the changed figure slower."""


def compare(
    known: Sequence[Residuals], pairs: int, change: float = 0.0, runs: int = RUNS, seed: int = SEED
) -> Shares:
    """Simulate comparisons of all figures, of which `CHANGED` is slower by `change`, relative."""
    rng = np.random.default_rng(seed)
    parts, limits, names = [], [], []
    for each in known:
        drawn = each.logs[rng.integers(len(each.logs), size=(runs, pairs))]
        # Either side may be first.
        parts.append(drawn * rng.choice([-1.0, 1.0], size=(runs, pairs, 1)))
        limits += list(each.limits)
        names += [(metric, each.strategy) for metric in each.metrics]
    logs, smallest = np.concatenate(parts, axis=2), np.array(limits)
    at = names.index(CHANGED)
    logs[:, :, at] += log(1 + change)
    middle = logs.mean(axis=1)
    error = logs.std(axis=1, ddof=1) / pairs**0.5
    p = 2 * student.sf(np.abs(middle) / error, pairs - 1)
    significant = holm(p) & (np.abs(middle) >= smallest)
    slower = significant & (middle > 0)
    low = middle - student.ppf((1 + CONFIDENCE) / 2, pairs - 1) * error
    worse = slower & (low > np.maximum(log(1 + TOLERATE), smallest))
    return Shares(
        float(significant.any(axis=1).mean()), float(worse.any(axis=1).mean()), float(slower[:, at].mean())
    )


def holm(p: np.ndarray) -> np.ndarray:
    """Which p-values of each row are significant together (`harness.comparisons.judge.holm`)."""
    tests = p.shape[1]
    order = np.argsort(p, axis=1)
    in_order = np.take_along_axis(p, order, axis=1) <= FALSE_ALARM_RATE / (tests - np.arange(tests))
    passed = np.logical_and.accumulate(in_order, axis=1)
    significant = np.zeros_like(passed)
    np.put_along_axis(significant, order, passed, axis=1)
    return significant


@cache
def section() -> str:
    """The section of the page on sensitivity; empty without pairs on record."""
    known = residuals(reference.load())
    if not any(each.strategy == CHANGED[1] for each in known):
        return ""
    figures, drawn = sum(len(each.metrics) for each in known), sum(len(each.logs) for each in known)
    rows = []
    for pairs in PAIRS:
        same = compare(known, pairs)
        found = [f"{compare(known, pairs, change).found:.1%}" for change in CHANGES]
        rows.append([str(pairs), f"{same.reported:.2%}", f"{same.failed:.2%}", *found])
    titles = [f"startup of spawn +{change:.0%}, found" for change in CHANGES]
    return (
        "## Comparisons, simulated\n\n"
        f"{RUNS} comparisons of {figures} figures each, by pairs of parents that are drawn from {drawn} on"
        " record without the ratio of their release. How many report anything although nothing changed, how"
        f" many of these fail (more than the tolerated {TOLERATE:.0%} worse), and how many find a change."
        " `poolstart compare` measures ten pairs, and more as long as an interval is too wide.\n\n"
        + markdown.table(["pairs", "false report", "false failure", *titles], rows)
    )

"""Comparisons drawn from the pairs on record: how often a decision is wrong, and which changes it finds.

The pairs are those of `harness.history.reference`, less the ratio of their release: what remains is how far
pairs scatter. Pairs are drawn whole: the metrics of one pair of parents stay together, as they were measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import log1p

import numpy as np
from scipy.stats import ttest_1samp, ttest_ind

from harness.comparisons.judge import CONFIDENCE, FALSE_ALARM_RATE, holm
from harness.console import markdown
from harness.history import reference
from harness.history.bracket import forks
from harness.history.paired import MAX_P, SCREEN_P
from harness.history.reference import DECIDING, NEWEST, SCREENING, RatioRow
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table

RUNS, SEED = 2000, 25

PAIRS = (10, 20, 40)

CHANGES = (0.03, 0.05)
"""Of `CHANGED`, in comparisons of two sides."""

CHANGED = ("startup", "spawn")

TOLERATE = 0.03

NEW = (0.0, 0.01, 0.02, 0.03)
"""Of `cpu_first_row`, in a new release."""


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
        limits = [log1p(metrics.min_relevant_change(name, ours[0].sizes[name])) for name in known]
        found.append(Residuals(strategy, known, np.concatenate(centred), np.array(limits)))
    return found


@dataclass(frozen=True)
class Shares:
    """Shares of the comparisons."""

    reported: float
    """That call any figure slower or faster."""
    failed: float
    """Whose exit status is 1: a figure is worse by more than is tolerated."""
    found: float
    """That call the changed figure slower."""


def compare(
    known: Sequence[Residuals], pairs: int, change: float = 0.0, runs: int = RUNS, seed: int = SEED
) -> Shares:
    """Judge comparisons as `harness.comparisons.judge` does; the figure `CHANGED` is slower by `change`."""
    rng = np.random.default_rng(seed)
    parts = [
        # Either side may be first.
        each.logs[rng.integers(len(each.logs), size=(runs, pairs))]
        * rng.choice([-1.0, 1.0], size=(runs, pairs, 1))
        for each in known
    ]
    logs, smallest = np.concatenate(parts, axis=2), np.concatenate([each.limits for each in known])
    at = [(metric, each.strategy) for each in known for metric in each.metrics].index(CHANGED)
    logs[:, :, at] += log1p(change)
    middle, test = logs.mean(axis=1), ttest_1samp(logs, 0.0, axis=1)
    significant = np.array([holm(ps, FALSE_ALARM_RATE) for ps in test.pvalue.tolist()])
    changed = significant & (np.abs(middle) >= smallest)
    slower = changed & (middle > 0)
    worse = slower & (test.confidence_interval(CONFIDENCE).low > np.maximum(log1p(TOLERATE), smallest))
    return Shares(
        float(changed.any(axis=1).mean()), float(worse.any(axis=1).mean()), float(slower[:, at].mean())
    )


def reported(known: Residuals, change: float, runs: int = RUNS, seed: int = SEED) -> float:
    """The share of new releases with this change of `cpu_first_row` that pairs report.

    The new release and the one before it are paired, as `harness.history.bracket` says: where an interpreter
    boots, the second stage follows if the first one differs.
    """
    rng = np.random.default_rng(seed)
    at = known.metrics.index("cpu_first_row")
    decided = np.full(runs, True)
    stages = [(NEWEST, MAX_P)] if forks(known.strategy) else [(SCREENING, SCREEN_P), (DECIDING, MAX_P)]
    for number, largest in stages:
        before, after = known.logs[rng.integers(len(known.logs), size=(2, runs, number)), at]
        after = after + log1p(change)
        size = np.abs(after.mean(axis=1) - before.mean(axis=1))
        p = ttest_ind(after, before, axis=1, equal_var=False).pvalue
        decided &= (p < largest) & (size >= known.limits[at])
    return float(decided.mean())


@cache
def section() -> str:
    """The sections of the page on sensitivity; empty without pairs on record."""
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
        "## Comparisons, resampled\n\n"
        f"{RUNS} comparisons of {figures} figures each, whose pairs of parents are drawn from {drawn} on"
        " record, less the ratio of their release. How many report anything although nothing changed,"
        f" how many of these fail (more than the tolerated {TOLERATE:.0%} worse), and how many find a change."
        " `poolstart compare` measures ten pairs, and more while an interval is too wide and there is time;"
        " 20 pairs of four strategies on record took three minutes. Instructions always find such a change."
        "\n\n"
        + markdown.table(["pairs", "false report", "false failure", *titles], rows)
        + "\n## New releases, resampled\n\n"
        "How often `poolstart record changes` reports a new release that changes the CPU time to the first"
        f" row: {RUNS} times {NEWEST} pairs of it and of the release before, drawn in the same way; of a"
        f" spawned worker {SCREENING} pairs, and {DECIDING} more where these differ, because its instructions"
        " are counted as well and always show such a change.\n\n"
        + markdown.table(
            ["strategy", "no change", *(f"{change:.0%}" for change in NEW[1:])],
            [
                [f"`{each.strategy}`", *(f"{reported(each, change):.2%}" for change in NEW)]
                for each in known
                if "cpu_first_row" in each.metrics
            ],
        )
    )

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
from harness.history.reference import DECIDING, NEWEST, SCREENING, STRATEGIES, RatioRow
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table
from harness.records.provenance import Provenance

RUNS, SEED = 2000, 25

PAIRS = (10, 20, 40)

CHANGES = (0.03, 0.05)
"""Of `CHANGED`, in comparisons of two sides."""

CHANGED = ("startup", "spawn")

TOLERATE = 0.03

NEW, NEW_FIGURE = (0.01, 0.02, 0.03), "cpu_first_row"
"""Changes of a figure that a new release makes."""

UNCHANGED_RUNS = 20_000
"""New releases that change nothing: false alarms are rare."""

Stages = Sequence[tuple[int, float]]
"""Numbers of pairs, each with the largest p-value of what is decided to differ."""

NEWEST_STAGES, SPAWNED_STAGES = [(NEWEST, MAX_P)], [(SCREENING, SCREEN_P), (DECIDING, MAX_P)]


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
        logs = [centred([stage[name] for name in known]) for stage in stages]
        limits = [limit(ours[0], name) for name in known]
        found.append(Residuals(strategy, known, np.concatenate(logs), np.array(limits)))
    return found


def centred(columns: Sequence[Sequence[float]]) -> np.ndarray:
    """The columns less their means, over which the mean of few pairs is nearer to them than the true one."""
    logs = np.array(columns).T
    spread: np.ndarray = (logs - logs.mean(axis=0)) * (len(logs) / (len(logs) - 1)) ** 0.5
    return spread


def limit(row: RatioRow, metric: str) -> float:
    return log1p(metrics.min_relevant_change(metric, row.sizes[metric]))


def together(
    rows: Sequence[RatioRow], strategies: Sequence[str], names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Residuals, a row a pair and a column for each metric of each strategy, and the limits of the columns.

    Of the pairs that one session measured for all of these strategies: what it does to all of them at once
    stays together.
    """
    sessions: dict[tuple[str, Provenance], dict[str, RatioRow]] = {}
    for row in rows:
        sessions.setdefault((row.release, row.provenance), {})[row.strategy] = row
    whole = [[each[name] for name in strategies] for each in sessions.values() if each.keys() >= {*strategies}]
    # The provenance of a row is that of its last stage.
    logs = [[(row.deciding or row.screening)[name] for row in each for name in names] for each in whole]
    limits = [limit(row, name) for row in whole[0] for name in names] if whole else []
    return np.concatenate([np.empty((0, len(limits))), *map(centred, logs)]), np.array(limits)


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
    known: Sequence[Residuals], pairs: int, change: float = 0.0, runs: int = RUNS
) -> Shares:
    """Judge comparisons as `harness.comparisons.judge` does; the figure `CHANGED` is slower by `change`."""
    rng = np.random.default_rng(SEED)
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


def reported(
    logs: np.ndarray, limits: np.ndarray, stages: Stages, change: float = 0.0, runs: int = RUNS
) -> float:
    """The share of new releases of which pairs report any column, each changed by `change`.

    The new release and the one before it are paired, stage by stage, as `harness.history.bracket` says.
    """
    rng = np.random.default_rng(SEED)
    decided = np.full((runs, len(limits)), True)
    for number, largest in stages:
        before, after = logs[rng.integers(len(logs), size=(2, runs, number))]
        after = after + log1p(change)
        size = np.abs(after.mean(axis=1) - before.mean(axis=1))
        p = ttest_ind(after, before, axis=1, equal_var=False).pvalue
        decided &= (p < largest) & (size >= limits)
    return float(decided.any(axis=1).mean())


@cache
def section() -> str:
    """The sections of the page on sensitivity; empty without pairs on record."""
    rows = reference.load()
    known = residuals(rows)
    if not any(each.strategy == CHANGED[1] for each in known):
        return ""
    return f"{of_comparisons(known)}\n{of_new_releases(known, rows)}"


def of_comparisons(known: Sequence[Residuals]) -> str:
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
        f"{markdown.table(['pairs', 'false report', 'false failure', *titles], rows)}"
    )


def of_new_releases(known: Sequence[Residuals], rows: Sequence[RatioRow]) -> str:
    """How often a change of `NEW_FIGURE` is reported, by strategy and in any of those that fork."""
    shares = []
    for each in known:
        if NEW_FIGURE in each.metrics:
            at = [each.metrics.index(NEW_FIGURE)]
            stages = NEWEST_STAGES if forks(each.strategy) else SPAWNED_STAGES
            shares.append([f"`{each.strategy}`", *percentages(each.logs[:, at], each.limits[at], stages)])
    forked = [name for name in STRATEGIES if forks(name)]
    logs, limits = together(rows, forked, [NEW_FIGURE])
    if len(logs):
        shares.append([f"any of the {len(forked)} that fork", *percentages(logs, limits, NEWEST_STAGES)])
    return (
        "## New releases, resampled\n\n"
        "How often `poolstart record changes` reports a new release that changes the CPU time to the first"
        f" row: {RUNS} times, and {UNCHANGED_RUNS} times without a change, {NEWEST} pairs of it and of the"
        f" release before, drawn in the same way; of a spawned worker {SCREENING} pairs, and {DECIDING} more"
        " where these differ, because its instructions are counted as well and always show such a change."
        " A change of SQLAlchemy's code usually changes all strategies that fork, and the release is reported"
        f" if any of them shows it: for the last row, all change by as much, and {len(logs)} pairs are drawn"
        " whole that were measured in the same session for all of them.\n\n"
        + markdown.table(["strategy", "no change", *(f"{change:.0%}" for change in NEW)], shares)
    )


def percentages(logs: np.ndarray, limits: np.ndarray, stages: Stages) -> list[str]:
    """The shares that are reported of releases without a change, and with each of `NEW`."""
    unchanged = reported(logs, limits, stages, runs=UNCHANGED_RUNS)
    changed = (reported(logs, limits, stages, change) for change in NEW)
    return [f"{unchanged:.3%}", *(f"{share:.1%}" for share in changed)]

"""Comparisons drawn from the pairs on record: how often a decision is wrong, and which changes it finds.

The pairs are those of `harness.history.reference`, less the ratio of their release: what remains is how far
pairs scatter. Pairs are drawn whole: the metrics of one pair of parents stay together, as they were measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import log1p

import numpy as np
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from harness.comparisons.judge import CONFIDENCE, FALSE_ALARM_RATE, holm
from harness.console import markdown
from harness.history import paired, reference
from harness.history.bracket import forks
from harness.history.paired import RELEASE_P, SessionVariance
from harness.history.reference import NEWEST, SESSION, STRATEGIES, RatioRow
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

UNCHANGED = 50
"""Times as many new releases change nothing: false alarms are rare."""


@dataclass(frozen=True)
class Residuals:
    """Pairs of parents: how far each is from the mean of its session."""

    figures: tuple[tuple[str, str], ...]
    """Metric and strategy."""
    logs: np.ndarray
    """A row a pair, a column a figure."""
    limits: np.ndarray
    """By figure: the logarithm of the smallest change that counts."""
    sessions: np.ndarray
    """By figure: the variance of what all pairs of one session share."""
    uncertainty: np.ndarray
    """By figure: one standard deviation of that variance."""


def residuals(rows: Sequence[RatioRow], strategies: Sequence[str], names: Sequence[str]) -> Residuals:
    """The residuals of metrics, of the pairs that one session measured for all of these strategies.

    So what a session does to all of them at once stays together. Metrics that a row lacks are left out.
    """
    sessions: dict[tuple[str, Provenance], dict[str, RatioRow]] = {}
    for row in rows:
        sessions.setdefault((row.release, row.provenance), {})[row.strategy] = row
    whole = [each for each in sessions.values() if each.keys() >= {*strategies}]
    # The provenance of a row is that of its last stage.
    stages = [{name: row.deciding or row.screening for name, row in each.items()} for each in whole]
    known = [name for name in names if all(name in each[of] for each in stages for of in strategies)]
    figures = tuple((metric, name) for name in strategies for metric in known) if whole else ()
    centred = [np.empty((0, len(figures)))]
    for each in stages:
        logs = np.array([each[name][metric] for metric, name in figures]).T
        for first in range(0, len(logs), SESSION):
            pairs = logs[first : first + SESSION]
            # The mean of few pairs is nearer to them than the true one is.
            centred.append((pairs - pairs.mean(axis=0)) * (len(pairs) / (len(pairs) - 1)) ** 0.5)
    limits = [
        log1p(metrics.min_relevant_change(metric, whole[0][name].sizes[metric])) for metric, name in figures
    ]
    shared = paired.of_sessions(rows)
    of_figures = [shared.get((metric, not forks(name)), SessionVariance()) for metric, name in figures]
    return Residuals(
        figures,
        np.concatenate(centred),
        np.array(limits),
        np.array([each.variance for each in of_figures]),
        np.array([each.uncertainty for each in of_figures]),
    )


@dataclass(frozen=True)
class Shares:
    """Shares of the comparisons."""

    reported: float
    """That call any figure slower or faster."""
    failed: float
    """Whose exit status is 1: a figure is worse by more than is tolerated."""
    found: float
    """That call the changed figure slower."""


def compare(known: Residuals, pairs: int, change: float = 0.0, runs: int = RUNS) -> Shares:
    """Judge comparisons as `harness.comparisons.judge` does; the figure `CHANGED` is slower by `change`."""
    rng = np.random.default_rng(SEED)
    drawn = known.logs[rng.integers(len(known.logs), size=(runs, pairs))]
    # Either side may be first.
    logs = drawn * rng.choice([-1.0, 1.0], size=(runs, pairs, 1))
    at = known.figures.index(CHANGED)
    logs[:, :, at] += log1p(change)
    middle, test = logs.mean(axis=1), ttest_1samp(logs, 0.0, axis=1)
    significant = np.array([holm(ps, FALSE_ALARM_RATE) for ps in test.pvalue.tolist()])
    changed = significant & (np.abs(middle) >= known.limits)
    slower = changed & (middle > 0)
    worse = slower & (test.confidence_interval(CONFIDENCE).low > np.maximum(log1p(TOLERATE), known.limits))
    return Shares(
        float(changed.any(axis=1).mean()), float(worse.any(axis=1).mean()), float(slower[:, at].mean())
    )


def reported(known: Residuals, rng: np.random.Generator, change: float = 0.0) -> np.ndarray:
    """Of `RUNS` new releases, a row each, which figures suffice for a report; all are changed by `change`.

    The new release and the one before it are paired directly, as `harness.history.bracket` says. Sessions
    differ by as much as those on record, which is known with its uncertainty.
    """
    drawn = rng.multinomial(NEWEST, np.full(len(known.logs), 1 / len(known.logs)), size=RUNS)
    means, shape = drawn @ known.logs / NEWEST, (RUNS, len(known.figures))
    variances = np.maximum(drawn @ known.logs**2 / NEWEST - means**2, 0) / (NEWEST - 1)
    shifts = np.maximum(known.sessions + known.uncertainty * rng.standard_normal(shape), 0)
    number = NEWEST / SESSION
    sizes = np.abs(means + (shifts / number) ** 0.5 * rng.standard_normal(shape) + log1p(change))
    least = student.isf(RELEASE_P / len(known.figures) / 2, NEWEST - 1)
    found: np.ndarray = sizes >= np.maximum(
        least * (variances + known.sessions / number) ** 0.5, known.limits
    )
    return found


@cache
def section() -> str:
    """The sections of the page on sensitivity; empty without pairs on record."""
    rows = reference.load()
    known = residuals(rows, STRATEGIES, [metric.id for metric in metrics.shown_in(Table.COMPARISON)])
    return f"{of_comparisons(known)}\n{of_new_releases(rows)}" if len(known.logs) else ""


def of_comparisons(known: Residuals) -> str:
    rows = []
    for pairs in PAIRS:
        same = compare(known, pairs)
        found = [f"{compare(known, pairs, change).found:.1%}" for change in CHANGES]
        rows.append([str(pairs), f"{same.reported:.2%}", f"{same.failed:.2%}", *found])
    titles = [f"startup of spawn +{change:.0%}, found" for change in CHANGES]
    return (
        "## Comparisons, resampled\n\n"
        f"{RUNS} comparisons of {len(known.figures)} figures each, drawn from {len(known.logs)} pairs of"
        f" parents on record for each of {len(STRATEGIES)} strategies, less the mean ratio of their session."
        " The table shows how many report anything although nothing changed, how many of these fail (more"
        f" than the tolerated {TOLERATE:.0%} worse), and how many find a change."
        " `poolstart compare` measures ten pairs, and more while an interval is too wide and there is time;"
        " 20 pairs of four strategies took three minutes. Instructions always show such a change.\n\n"
        f"{markdown.table(['pairs', 'false report', 'false failure', *titles], rows)}"
    )


def of_new_releases(rows: Sequence[RatioRow]) -> str:
    """How often a change of `NEW_FIGURE` is reported, by strategy and in any of those that fork."""
    names = [name for name in STRATEGIES if forks(name)]
    known, rng = residuals(rows, names, [*metrics.METRICS]), np.random.default_rng(SEED)
    unchanged = np.concatenate([reported(known, rng) for _ in range(UNCHANGED)])
    found = [unchanged, *(reported(known, rng, change) for change in NEW)]
    columns = {f"`{name}`": [known.figures.index((NEW_FIGURE, name))] for name in names}
    columns[f"any of the {len(names)}"] = [at for known_at in columns.values() for at in known_at]
    shares = {title: [each[:, at].any(axis=1).mean() for each in found] for title, at in columns.items()}
    return (
        "## New releases, resampled\n\n"
        "How often `poolstart record changes` reports a new release that changes the CPU time to the first"
        f" row of forked workers, of {RUNS} such releases, and of {len(unchanged)} without a change. For"
        f" each, {NEWEST} direct pairs with the release before are drawn in the same way from"
        f" {len(known.logs)}. The differences between sessions are drawn as well, with the uncertainty of"
        " their size on record. A change of SQLAlchemy's code usually changes all strategies that fork, and"
        " the release is reported if any of them shows it: in the last row, all change by the same ratio, and"
        " what one session measured for all of them is drawn together. Instructions always show such a change"
        f" of a spawned worker. Without a change, at least one of all {len(known.figures)} paired figures is"
        f" reported for {unchanged.any(axis=1).mean():.3%} of the releases.\n\n"
        + markdown.table(
            ["strategy", "no change", *(f"{change:.0%}" for change in NEW)],
            [
                [title, f"{none:.3%}", *(f"{each:.1%}" for each in more)]
                for title, (none, *more) in shares.items()
            ],
        )
    )

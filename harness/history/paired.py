"""Changes between two releases, from interleaved pairs of parents: sizes, intervals and what is certain.

A row of the record of ratios (`harness.history.reference`) pairs a release with the reference; the change
between two releases of one machine is the difference of their logarithms. Direct pairs of two neighbouring
releases, and those of earlier records, need no difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, pairwise
from math import exp, inf, log, sqrt
from pathlib import Path
from statistics import mean, variance

import numpy as np
from packaging.version import Version
from scipy.stats import t as student

from harness import strategies
from harness.comparisons.judge import CONFIDENCE, CONSTANT, MIN_PAIRS
from harness.history.reference import REDUNDANT, REFERENCE, SESSION, STRATEGIES, RatioRow, rows_of, versions
from harness.lifecycles import metrics
from harness.records import store
from harness.records.provenance import Provenance

NEIGHBOURS = store.path("retests")
"""Comparisons of neighbouring releases with each other, of earlier versions; no command adds to them."""

RELEASE_P = 4e-5
"""The largest p-value of a release that is reported, of all its figures together: a fifth of what the
resampled share of false reports has to stay below, because the variance of sessions is uncertain."""

MAX_P = 1e-4
"""The largest p-value of a change that is certain."""

SCREEN_P = 0.05
"""Of the first stage: the largest p-value of what the second stage measures."""


@dataclass(frozen=True)
class PairedChange:
    """One metric of one strategy, of a release against an earlier one."""

    before: str
    release: str
    metric: str
    strategy: str
    dataframe: str
    ratio: float
    low: float
    high: float
    """The ratio's 99 % interval; 0 and infinity where there are too few pairs."""
    p: float
    """The probability of such a ratio, or one farther from 1, if the releases do not differ."""
    pairs: int
    smallest: float
    """The smallest relative change that counts."""
    machine: str
    scattered: bool = True
    """Whether the parents of its pairs scattered what they imported."""

    @property
    def size(self) -> float:
        return abs(log(self.ratio))

    @property
    def counts(self) -> bool:
        """Whether the change is large enough to count.

        Of memory, which repeats to a thousandth, the whole interval has to be.
        """
        least = log(1 + self.smallest)
        if metrics.get(self.metric).unit == "bytes":
            return self.low > 0 and (log(self.low) >= least or log(self.high) <= -least)
        return self.size >= least

    @property
    def certain(self) -> bool:
        return self.p < MAX_P and self.counts

    @property
    def suspicious(self) -> bool:
        """Whether the second stage has to decide."""
        return self.p < SCREEN_P and self.size >= log(1 + self.smallest)

    @property
    def cell(self) -> tuple[str, str, str]:
        return self.metric, self.strategy, self.dataframe


@dataclass(frozen=True)
class NeighbourRow:
    """A row of the earlier record: a metric of a cell in two neighbouring releases, in interleaved pairs."""

    previous: str
    release: str
    metric: str
    strategy: str
    dataframe: str
    before: float
    after: float
    """Medians, in seconds or bytes."""
    ratio: float
    low: float
    high: float
    """The ratio's 99 % interval."""
    verdict: str
    pairs: int
    provenance: Provenance = field(default_factory=Provenance)

    def change(self) -> PairedChange:
        """The p-value follows from the interval, which is Student's."""
        freedom = self.pairs - 1
        error = (log(self.high) - log(self.low)) / 2 / student.isf((1 - CONFIDENCE) / 2, freedom)
        p = float(2 * student.sf(abs(log(self.ratio)) / max(error, CONSTANT), freedom))
        smallest = metrics.min_relevant_change(self.metric, self.before)
        return PairedChange(
            self.previous, self.release, self.metric, self.strategy, self.dataframe, self.ratio, self.low,
            self.high, p, self.pairs, smallest, self.provenance.machine, scattered=False,
        )  # fmt: skip


def rows(path: Path = NEIGHBOURS) -> list[NeighbourRow]:
    """The rows of the earlier record; none without one. Raises `PoolstartError` if it is damaged."""
    return store.load(list[NeighbourRow], path) or []


def load(path: Path = NEIGHBOURS) -> list[PairedChange]:
    """The changes on record between neighbouring releases; none without a record.

    Of what is paired today, so that no cell seems unchanged beside another that runs the same code. Without
    strategies whose fork server preloads: the state of its garbage collector was not known, and decided
    whether a worker or the server ran a collection. Raises `PoolstartError` for a damaged record.
    """
    return [
        row.change()
        for row in rows(path)
        if row.metric not in REDUNDANT
        if row.strategy in STRATEGIES and row.dataframe == "none"
        if not strategies.get(row.strategy).preload
    ]


@dataclass(frozen=True)
class SessionVariance:
    """How much a session shifts the logarithms of all of its ratios."""

    variance: float = 0.0
    uncertainty: float = 0.0
    """Of the variance, one standard deviation."""


def sessions_of(logs: Sequence[float]) -> list[Sequence[float]]:
    """The logarithms of a stage, session by session."""
    return [logs[first : first + SESSION] for first in range(0, len(logs), SESSION)]


def between(
    before: Sequence[float], after: Sequence[float], session: float = 0.0
) -> tuple[float, float, float, float]:
    """The difference of mean logarithms, its 99 % interval, and its p-value (Welch's t-test).

    An empty side is the reference itself, whose logarithms are 0. `session` is the variance that a session
    has beyond the scatter of its pairs. With fewer than `MIN_PAIRS` values the interval is infinite, and p
    is 1.
    """
    middle = (mean(after) if after else 0.0) - (mean(before) if before else 0.0)
    sides = [side for side in (before, after) if side]
    if not sides or min(map(len, sides)) < MIN_PAIRS:
        return middle, -inf, inf, 1.0
    if all(max(side) - min(side) < CONSTANT for side in sides):
        return middle, middle, middle, 0.0 if abs(middle) > CONSTANT else 1.0
    of_means = [variance(side) / len(side) for side in sides]
    freedom = sum(of_means) ** 2 / sum(
        v**2 / (len(side) - 1) for v, side in zip(of_means, sides, strict=True)
    )
    error = sqrt(sum(of_means) + sum(session / len(sessions_of(side)) for side in sides))
    half = float(student.ppf((1 + CONFIDENCE) / 2, freedom)) * error
    return middle, middle - half, middle + half, float(2 * student.sf(abs(middle) / error, freedom))


def of_sessions(rows: Iterable[RatioRow]) -> dict[tuple[str, bool], SessionVariance]:
    """By metric, and whether workers boot an interpreter: the variance between sessions of one row.

    By moments: what the means of sessions differ by beyond the scatter of their pairs. Source: DerSimonian
    and Laird (1986), "Meta-Analysis in Clinical Trials".
    """
    sums: dict[tuple[str, bool], np.ndarray] = {}
    for row in rows:
        for metric in {*row.screening, *row.deciding}:
            stages = [row.screening.get(metric, []), *sessions_of(row.deciding.get(metric, []))]
            sessions = [np.array(stage) for stage in stages if len(stage) >= MIN_PAIRS]
            numbers = np.array([len(each) for each in sessions])
            scatter = sum(each.var() * len(each) for each in sessions) / max(1, sum(numbers - 1))
            if len(sessions) > 1 and scatter > CONSTANT**2:
                weights, means = numbers / scatter, np.array([each.mean() for each in sessions])
                found = weights @ (means - weights @ means / weights.sum()) ** 2
                one = np.array([found, len(sessions) - 1, weights.sum() - weights @ weights / weights.sum()])
                key = metric, strategies.get(row.strategy).boots_an_interpreter
                sums[key] = sums.get(key, 0) + one
    return {
        key: SessionVariance(
            max(0.0, float(found - freedom) / by), sqrt(2 * freedom) / by * max(1.0, found / freedom)
        )
        for key, (found, freedom, by) in sums.items()
    }


def changes(rows: Sequence[RatioRow], *, screening: bool = False) -> list[PairedChange]:
    """The changes between releases that are neighbours on record, of each machine; direct pairs come first.

    Of the second stage, or with `screening` of the first. Releases between two of them were not paired.
    """
    sessions = of_sessions(rows)
    found = [change for row in rows if row.before for change in of_rows(None, row, sessions, screening)]
    for machine in dict.fromkeys(row.provenance.machine for row in rows):
        ours = [row for row in rows if row.provenance.machine == machine]
        for before, release in pairwise(versions(ours)):
            first, second = rows_of(ours, before, machine), rows_of(ours, release, machine)
            for strategy in dict.fromkeys([*first, *second]):
                one, other = first.get(strategy), second.get(strategy)
                if (one or before == REFERENCE) and (other or release == REFERENCE):
                    found += of_rows(one, other, sessions, screening)
    return found


Sessions = Mapping[tuple[str, bool], SessionVariance]
"""What `of_sessions` returns."""


def of_rows(
    one: RatioRow | None, other: RatioRow | None, sessions: Sessions, screening: bool
) -> Iterable[PairedChange]:
    """The changes from one row to another; None is what the release of the other row was paired with."""
    rows = [row for row in (other, one) if row]
    strategy, paired_with = rows[0].strategy, rows[0].before or REFERENCE
    before, release = (row.release if row else paired_with for row in (one, other))
    stages = [(row.screening if screening else row.deciding) if row else {} for row in (one, other)]
    # A metric that is younger than the first stage of a row has no size there.
    sizes = {name: size for row in rows for name, size in row.sizes.items()}
    known = set.intersection(set(sizes), *map(set, compress(stages, (one, other))))
    for metric in known - REDUNDANT:
        earlier, later = (stage.get(metric, []) for stage in stages)
        key = metric, strategies.get(strategy).boots_an_interpreter
        session = sessions[key].variance if key in sessions else 0.0
        middle, low, high, p = between(earlier, later, session)
        smallest = metrics.min_relevant_change(metric, sizes[metric])
        yield PairedChange(
            before, release, metric, strategy, "none", exp(middle), exp(low), exp(high) if high < inf else
            inf, p, min(len(each) for each in (earlier, later) if each), smallest,
            rows[0].provenance.machine, all(row.scattered for row in rows),
        )  # fmt: skip


def reported(found: Iterable[PairedChange]) -> list[PairedChange]:
    """The certain changes of the releases that certainly changed anything.

    All figures together show that by Bonferroni's bound: a p-value is at most `RELEASE_P` by their number.
    """
    by_releases: dict[tuple[str, str], list[PairedChange]] = {}
    for change in found:
        by_releases.setdefault((change.before, change.release), []).append(change)
    return [
        change
        for figures in by_releases.values()
        if any(each.certain and each.p <= RELEASE_P / len(figures) for each in figures)
        for change in figures
        if change.certain
    ]


def best(found: Iterable[PairedChange]) -> list[PairedChange]:
    """One change for each pair of releases and cell, whatever the machine: that of scattered parents first,
    then that of the most pairs."""
    by_place: dict[tuple[str, ...], PairedChange] = {}
    for change in sorted(found, key=lambda change: (change.scattered, change.pairs), reverse=True):
        by_place.setdefault((change.before, change.release, *change.cell), change)
    return sorted(by_place.values(), key=lambda change: (Version(change.release), *change.cell))

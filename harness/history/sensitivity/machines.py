"""One change of a release by all instruments and on all machines on record: how far their ratios agree."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp, isfinite, log
from pathlib import Path

from packaging.version import Version

from harness.console import markdown
from harness.history import changes, level, paired, reference, series
from harness.history.changes import Changes
from harness.history.paired import PairedChange
from harness.history.reference import REFERENCE, STRATEGIES, RatioRow
from harness.history.series import Series
from harness.instructions import table as instructions
from harness.instructions.count import STRATEGY
from harness.instructions.table import InstructionsTable
from harness.lifecycles import metrics
from harness.releases.catalogue import catalogue

METRICS = ("time_to_first_row", "uss")
"""What was measured by pairs and in the history."""

PHASES = {"time_to_first_row": ("start", "engine", "first_query")}
"""The phases whose instructions a metric consists of."""

AGREED = 0.02
"""The relative difference of two ratios up to which they agree."""


@dataclass(frozen=True)
class MeasuredRatio:
    """The ratio of two releases, with its 99 % interval."""

    by: str
    """Instrument and machine."""
    ratio: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """`+5.4 % (+4.8 to +6.1)`."""
        change, low, high = (f"{(value - 1) * 100:+.1f}" for value in (self.ratio, self.low, self.high))
        return f"{change} %" if low == high else f"{change} % ({low} to {high})"


@dataclass(frozen=True)
class RatioEvidence:
    """What is on record about the changes of all releases."""

    ratios: Sequence[RatioRow]
    neighbours: Sequence[PairedChange]
    all_series: Sequence[Series]
    counted: InstructionsTable | None
    known: Changes

    @classmethod
    def on_record(cls, results: Path) -> "RatioEvidence":
        """Raises `PoolstartError` for a damaged record or results file."""
        all_series, neighbours, ratios = series.load(results), paired.load(), reference.load()
        known = changes.of(all_series, neighbours, ratios)
        return cls(ratios, neighbours, all_series, instructions.load(), known)

    def of(self, release: str, metric: str, strategy: str) -> list[MeasuredRatio]:
        """The ratios of a release and the reference, which precedes it; those of pairs first."""
        found = [*self._pairs(release), *self._neighbours(release)]
        return [
            *(
                MeasuredRatio(by, each.ratio, each.low, each.high)
                for by, each in found
                if (each.metric, each.strategy) == (metric, strategy)
            ),
            *self._history(release, metric, strategy),
            *(self._instructions(release, metric) if strategy == STRATEGY else ()),
        ]

    def _pairs(self, release: str) -> Iterator[tuple[str, PairedChange]]:
        for machine in dict.fromkeys(row.provenance.machine for row in self.ratios):
            for each in paired.of_releases(self.ratios, REFERENCE, release, machine, screening=False):
                yield f"pairs, {machine}", each

    def _neighbours(self, release: str) -> Iterator[tuple[str, PairedChange]]:
        for each in self.neighbours:
            if (each.before, each.release) == (REFERENCE, release):
                yield f"earlier pairs, {each.machine}", each

    def _history(self, release: str, metric: str, strategy: str) -> Iterator[MeasuredRatio]:
        """Of the releases from one change to the next, as the longest series has them."""
        cells = [each for each in self.all_series if each.key.parameters == (strategy, "none")]
        known = [each for each in cells if each.key.metric == metric]
        if not known:
            return
        longest = max(known, key=lambda each: len(each.values))
        since = level.last_change(earlier(self.known, release), metric, strategy) or min(
            longest.values, key=Version
        )
        before, after = [], []
        for version, value in longest.values.items():
            if Version(version) >= Version(release):
                after.append(log(value))
            elif Version(version) >= Version(since):
                before.append(log(value))
        middle, low, high, _ = paired.between(before, after)
        if before and after and isfinite(low):
            yield MeasuredRatio(f"history, {longest.key.machine}", exp(middle), exp(low), exp(high))

    def _instructions(self, release: str, metric: str) -> Iterator[MeasuredRatio]:
        rows = [self.counted.row(each) if self.counted else None for each in (REFERENCE, release)]
        if metric in PHASES and all(rows):
            before, after = (sum(row.phases[phase] for phase in PHASES[metric]) for row in rows if row)
            yield MeasuredRatio("instructions", *(after / before,) * 3)


def earlier(known: Changes, release: str) -> Changes:
    """The changes before a release."""

    def before(change: PairedChange | changes.CountChange) -> bool:
        return Version(change.release) < Version(release)

    return replace(
        known, paired=tuple(filter(before, known.paired)), counts=tuple(filter(before, known.counts))
    )


def section(results: Path) -> str | None:
    """The region of docs/statistics.md: a table, and how many ratios agree; None without pairs on record."""
    evidence, order = RatioEvidence.on_record(results), [each.version for each in catalogue().releases]
    release = order[order.index(REFERENCE) + 1]
    rows = [
        (metrics.get(metric).short, strategy, found)
        for metric in METRICS
        for strategy in STRATEGIES
        if len(found := evidence.of(release, metric, strategy)) > 1
    ]
    return text(release, rows) if rows else None


def text(release: str, rows: Sequence[tuple[str, str, Sequence[MeasuredRatio]]]) -> str:
    """The region, from figure, strategy and ratios; others are compared with the first ratio."""
    columns = list(dict.fromkeys(each.by for _, _, found in rows for each in found))
    compared = [(figure, name, found[0], each) for figure, name, found in rows for each in found[1:]]
    near = sum(difference(first, each) <= AGREED for *_, first, each in compared)
    figure, name, first, each = max(compared, key=lambda row: difference(*row[2:]))
    cells = [
        [figure, f"`{name}`", *(cell(found, by) for by in columns), percent(farthest(found))]
        for figure, name, found in rows
    ]
    table = markdown.table(["figure", "strategy", *columns, "farthest from the pairs"], cells, figures=2)
    return (
        f"{table}\nSQLAlchemy {release} against {REFERENCE}, with 99 % intervals. {near} of {len(compared)}"
        f" ratios differ from those of the pairs by {AGREED * 100:.0f} % or less; the farthest, by"
        f" {percent(difference(first, each))}, is that of {figure} of `{name}` by {each.by}: {each.text}."
    )


def cell(found: Iterable[MeasuredRatio], by: str) -> str:
    return next((each.text for each in found if each.by == by), "")


def farthest(found: Sequence[MeasuredRatio]) -> float:
    return max(difference(found[0], each) for each in found[1:])


def difference(one: MeasuredRatio, other: MeasuredRatio) -> float:
    """Of two ratios, relative."""
    return abs(other.ratio / one.ratio - 1)


def percent(relative: float) -> str:
    return f"{relative * 100:.1f} %"

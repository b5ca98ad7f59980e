"""One change of a release by all instruments and on all machines on record: how far their ratios agree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

    def off(self, other: "MeasuredRatio") -> float:
        """The relative difference to another ratio."""
        return abs(self.ratio / other.ratio - 1)

    def holds(self, other: "MeasuredRatio") -> bool:
        """Whether the interval contains another ratio."""
        return self.low <= other.ratio <= self.high


@dataclass(frozen=True)
class RatioEvidence:
    """What is on record about the changes of all releases."""

    ratios: Sequence[RatioRow]
    neighbours: Sequence[PairedChange]
    all_series: Sequence[Series]
    counted: InstructionsTable | None
    known: Changes

    def of(self, release: str, metric: str, strategy: str) -> Iterator[MeasuredRatio]:
        """The ratios of a release and the reference, which precedes it; those of pairs first, and of these
        the ones of scattered parents."""
        found = [
            (f"pairs, {change.machine}{'' if change.scattered else ', not scattered'}", change)
            for change in sorted(paired.changes(self.ratios), key=lambda change: not change.scattered)
        ]
        found += [(f"earlier pairs, {change.machine}", change) for change in self.neighbours]
        for by, change in found:
            cell = change.before, change.release, change.metric, change.strategy
            if cell == (REFERENCE, release, metric, strategy):
                yield MeasuredRatio(by, change.ratio, change.low, change.high)
        yield from self._history(release, metric, strategy)
        rows = [self.counted.row(each) if self.counted else None for each in (REFERENCE, release)]
        if metric in PHASES and strategy == STRATEGY and all(rows):
            before, after = (sum(row.phases[phase] for phase in PHASES[metric]) for row in rows if row)
            yield MeasuredRatio("instructions", *(after / before,) * 3)

    def _history(self, release: str, metric: str, strategy: str) -> Iterator[MeasuredRatio]:
        """Of the releases from one change to the next, as the longest series has them."""
        cell = (strategy, "none")
        known = [each for each in self.all_series if (each.key.metric, each.key.parameters) == (metric, cell)]
        if not known:
            return
        longest = max(known, key=lambda each: len(each.values))
        since = level.last_change(self.known, metric, strategy, before=release)
        before, after = [], []
        for version, value in longest.values.items():
            if Version(version) >= Version(release):
                after.append(log(value))
            elif not since or Version(version) >= Version(since):
                before.append(log(value))
        middle, low, high, _ = paired.between(before, after)
        if before and after and isfinite(low):
            yield MeasuredRatio(f"history, {longest.key.machine}", exp(middle), exp(low), exp(high))


def section(results: Path) -> str | None:
    """The region of docs/statistics.md: a table, and how many ratios agree; None without pairs on record.

    Raises `PoolstartError` for a damaged record or results file.
    """
    all_series, neighbours, ratios = series.load(results), paired.load(), reference.load()
    known = changes.of(all_series, neighbours, ratios)
    evidence = RatioEvidence(ratios, neighbours, all_series, instructions.load(), known)
    order = [each.version for each in catalogue().releases]
    release = order[order.index(REFERENCE) + 1]
    rows = [
        (metrics.get(metric).short, strategy, list(evidence.of(release, metric, strategy)))
        for metric in METRICS
        for strategy in STRATEGIES
    ]
    compared = [row for row in rows if len(row[2]) > 1]
    return text(release, compared) if ratios and compared else None


def text(release: str, rows: Sequence[tuple[str, str, Sequence[MeasuredRatio]]]) -> str:
    """The region, from figure, strategy and ratios; others are compared with the first ratio."""
    columns = list(dict.fromkeys(each.by for _, _, found in rows for each in found))
    compared = [
        (each.off(found[0]), f"{figure} of `{name}` by {each.by}: {each.text}", each.holds(found[0]))
        for figure, name, found in rows
        for each in found[1:]
    ]
    apart = sorted((each for each in compared if each[0] > AGREED), reverse=True)
    cells = []
    for figure, name, found in rows:
        by = {each.by: each.text for each in found}
        off = max(each.off(found[0]) for each in found[1:])
        cells.append([figure, f"`{name}`", *(by.get(each, "") for each in columns), f"{off * 100:.1f} %"])
    table = markdown.table(["figure", "strategy", *columns, "farthest from the pairs"], cells, figures=2)
    sentences = [
        f"SQLAlchemy {release} against {REFERENCE}, with 99 % intervals. {len(compared) - len(apart)} of"
        f" {len(compared)} ratios differ from those of the pairs by {AGREED * 100:.0f} % or less."
    ]
    if apart:
        names = "; ".join(f"{what}, {off * 100:.1f} % off" for off, what, _ in apart)
        wide = sum(holds for *_, holds in apart)
        sentences.append(
            f"The others are {names}. {wide} of these intervals {'contains' if wide == 1 else 'contain'} the"
            " ratio of the pairs, too wide to confirm it or to refute it."
        )
    if len(machines := [each for each in columns if each.startswith("pairs")]) == 1:
        sentences.append(
            f"Pairs with the reference are on record for {machines[0].partition(', ')[2]} alone, so times are"
            " not shown to agree on two types of machine."
        )
    return f"{table}\n{' '.join(sentences)}"

"""The changes of all releases: of times and memory by pairs of parents, of counts exactly."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from pathlib import Path

from asv.util import UserError
from packaging.version import Version

from harness.counts import registry
from harness.counts.registry import COLLECTIONS
from harness.history import paired, reference, series
from harness.history.paired import PairedChange
from harness.history.reference import RatioRow
from harness.history.series import Series
from harness.releases.catalogue import catalogue
from harness.system.environment import ROOT

MIN_COUNT_CHANGE = 0.01
"""The least relative change of a count that is listed: counts change a little in nearly every release."""

Counts = Mapping[tuple[str, str], Mapping[str, float]]
"""By count and strategy: the number of each release."""


@dataclass(frozen=True)
class CountChange:
    """A count of one strategy that a release changed; counts repeat exactly."""

    before: str
    release: str
    metric: str
    strategy: str
    unit: str
    old: float
    new: float

    @property
    def ratio(self) -> float:
        return self.new / self.old if self.old else float("inf")

    @property
    def minor(self) -> bool:
        """Whether it is too small to be listed."""
        return abs(self.new - self.old) < MIN_COUNT_CHANGE * self.old


@dataclass(frozen=True)
class Changes:
    """What the releases changed."""

    paired: tuple[PairedChange, ...]
    """Certain changes between neighbouring releases, in version order."""
    counts: tuple[CountChange, ...]
    """Of SQLAlchemy's work, without minor ones, in version order."""
    minor: int
    """Changes of counts that are too small to be listed."""
    open: tuple[tuple[str, str], ...]
    """Releases that were paired and differ by more than the changes between them: one has no release yet."""
    decided: tuple[PairedChange, ...] = ()
    """All comparisons between neighbouring releases, certain or not: they show what would be found."""


def recorded(results: Path = ROOT / "results", *, counts_required: bool = False) -> Changes:
    """The changes that follow from the records, with the counts in a folder of asv's results.

    Without counts where the folder does not say which benchmarks they are of, or not legibly, unless they are
    required. Raises `PoolstartError` for a damaged results file or record, asv's `UserError` for a damaged
    list of benchmarks if counts are required.
    """
    try:
        has_counts = counts_required or (results / "benchmarks.json").exists()
        known = series.load(results) if has_counts else []
    except UserError:
        if counts_required:
            raise
        known = []
    return of(known, paired.load(), reference.load())


def of(all_series: Sequence[Series], neighbours: Iterable[PairedChange], rows: Sequence[RatioRow]) -> Changes:
    """The changes of series of counts, comparisons of neighbouring releases, and ratios to the reference."""
    order = [release.version for release in catalogue().releases]
    adjacent = set(pairwise(order))
    counts = counts_of(all_series)
    by_reference = paired.changes(rows)
    ours = [change for change in by_reference if (change.before, change.release) in adjacent]
    # The difference of two ratios replaces a comparison of an earlier version, whatever it says.
    replaced = {(change.before, change.release, *change.cell) for change in ours}
    kept = [change for change in neighbours if (change.before, change.release, *change.cell) not in replaced]
    decided = [
        change
        for change in paired.best([*ours, *kept])
        if not collector_alone(counts, change.before, change.release, change.strategy)
    ]
    numbers = [change for change in count_changes(counts) if (change.before, change.release) in adjacent]
    reported = paired.reported(decided)
    return Changes(
        tuple(reported),
        tuple(change for change in numbers if not change.minor),
        sum(change.minor for change in numbers),
        tuple(
            sorted(
                {
                    (change.before, change.release)
                    for change in by_reference
                    if change.certain
                    and (change.before, change.release) not in adjacent
                    and unexplained(change, reported)
                },
                key=lambda pair: Version(pair[1]),
            )
        ),
        tuple(decided),
    )


def unexplained(change: PairedChange, known: Iterable[PairedChange]) -> bool:
    """Whether two releases differ by more than the known changes of that figure between them."""
    first, last = Version(change.before), Version(change.release)
    within = sum(
        log(each.ratio)
        for each in known
        if each.cell == change.cell and first < Version(each.release) <= last
    )
    rest = log(change.ratio) - within
    return not log(change.low) < within < log(change.high) and abs(rest) >= log(1 + change.smallest)


def counts_of(all_series: Iterable[Series]) -> dict[tuple[str, str], dict[str, float]]:
    """The counts of all series, which are the same on every machine: the first series of each has the last
    word."""
    counts: dict[tuple[str, str], dict[str, float]] = {}
    for one in all_series:
        strategy, dataframe = one.key.parameters
        if one.is_count and dataframe == "none":
            known = counts.setdefault((one.key.metric, strategy), {})
            counts[one.key.metric, strategy] = {**one.values, **known}
    return counts


def count_changes(counts: Counts) -> list[CountChange]:
    """Every release whose count of work differs from the release before it, in version order."""
    return sorted(
        (
            CountChange(before, release, name, strategy, known.unit, values[before], values[release])
            for (name, strategy), values in counts.items()
            if (known := registry.COUNTS.get(name)) and known.of_work
            for before, release in pairwise(sorted(values, key=Version))
            if values[before] != values[release]
        ),
        key=lambda change: (Version(change.release), change.metric, change.strategy),
    )


def collector_alone(counts: Counts, before: str, release: str, strategy: str) -> bool:
    """Whether garbage collections of a worker moved from one release to the next, and its work did not.

    Such a change of time or memory comes from where the collector happens to run. Collections of the youngest
    objects take too little to matter.
    """
    moved = set()
    for name, count in registry.COUNTS.items():
        values = counts.get((name, strategy), {})
        if values.get(before) != values.get(release) and not name.endswith("_0"):
            moved.add(count.unit)
    return moved == {COLLECTIONS}

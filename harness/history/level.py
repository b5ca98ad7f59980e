"""The level of a figure: its mean over all releases since the last one that changed it.

One run has few parents, and its median is a tenth off where a mean over ten releases is not. Releases between
two changes do the same work, so their parents are parents of one level.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import fmean, median

from packaging.version import Version

from harness.history.changes import Changes
from harness.history.reference import SAME_CODE


@dataclass(frozen=True)
class ParentFigures:
    """One figure of one release: of each parent, or where those are not stored, their median."""

    values: Sequence[float]
    """In seconds or bytes."""
    parents: int
    """How many were measured."""


@dataclass(frozen=True)
class Level:
    """The mean of a figure over several releases."""

    mean: float
    """The geometric mean over the parents, in seconds or bytes."""
    medians: Mapping[str, float]
    """Of each release, in version order."""
    parents: int

    @property
    def first(self) -> str:
        """The oldest release."""
        return next(iter(self.medians))


def last_change(changes: Changes, metric: str, strategy: str, before: str = "") -> str:
    """The last release on record that changed a figure, or a count of its strategy; empty without any.

    Of a strategy that was never paired, the last one that changed this figure of any strategy. With `before`,
    only releases older than that.
    """
    names = {strategy, SAME_CODE.get(strategy, strategy)}
    paired = [change for change in changes.paired if change.metric == metric]
    if any(change.strategy in names for change in changes.decided):
        paired = [change for change in paired if change.strategy in names]
    releases = [change.release for change in paired]
    releases += [change.release for change in changes.counts if change.strategy in names]
    older = [each for each in releases if not before or Version(each) < Version(before)]
    return max(older, key=Version, default="")


def level(figures: Mapping[str, ParentFigures], newest: str, since: str = "") -> Level | None:
    """The level of the releases from `since` to `newest`; None without any figure greater than zero.

    A release whose parents are not stored counts with their median, as often as it had parents.
    """
    used = {
        release: figure
        for release, figure in sorted(figures.items(), key=lambda item: Version(item[0]))
        if (not since or Version(since) <= Version(release)) and Version(release) <= Version(newest)
        if all(value > 0 for value in figure.values)
    }
    if not used:
        return None
    parents = sum(figure.parents for figure in used.values())
    medians = {release: median(figure.values) for release, figure in used.items()}
    logs = [fmean(map(log, figure.values)) for figure in used.values()]
    mean = exp(fmean(logs, [figure.parents for figure in used.values()]))
    return Level(mean, medians, parents)

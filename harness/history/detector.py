"""The change points of one series; docs/statistics.md explains the method and names its sources."""

from collections.abc import Sequence
from functools import cache
from math import exp, log

import numpy as np
from scipy.stats import t as student

from harness.history import fit
from harness.history.change_point import ChangePoint, MinimumDetectableChange
from harness.history.fit import MIN_SEGMENT, Values, hodges_lehmann
from harness.history.series import Series
from harness.lifecycles import metrics

WINDOW = 20
"""Releases on either side that a change point is tested against."""

CANDIDATE_PENALTY = 8.0
CANDIDATE_P = 1e-3
"""Of candidates, which are worth a retest: the penalty of the fit, and the largest p."""

HODGES_LEHMANN_ERROR = 1.023
"""The standard error of Hodges' and Lehmann's shift, relative to that of a difference of means (the square
root of pi / 3, for normal noise)."""

MAX_NOISE_LEFT = 0.8
"""A series is divided by its control where that leaves at most this share of the noise."""

TAIL = 0.005
"""Of Student's distribution on either side of a 99 % interval."""


class Detector:
    """Finds the change points of one series.

    `control` is the bare start method that was measured in the same blocks, or None. `alpha` is the
    probability of a false alarm at one place of the series.
    """

    def __init__(self, series: Series, control: Series | None, alpha: float) -> None:
        self.series = series
        self._alpha = alpha
        self._logs = series.logs
        self.noise = noise(series, self._logs)
        """One standard deviation of a release's logarithm."""
        self._control: Values | None = None
        if control:
            indices = [control.releases.index(release) for release in series.releases]
            moved = control.logs[indices] - np.median(control.logs[indices])
            if (left := noise(series, series.logs - moved)) < MAX_NOISE_LEFT * self.noise:
                self._logs, self.noise = series.logs - moved, left
            else:
                self._control = moved
        size = float(np.median(series.medians))
        self.minimum = log(1 + metrics.min_relevant_change(series.key.metric, size, series.unit))
        """The smallest change that counts, as a logarithm."""
        # A series that hardly varies is not trusted to the last digit.
        self._assumed_noise = max(self.noise, self.minimum / 4)
        self.places: list[int] = []
        """The index of the first release of each new level; `find` sets it."""

    @property
    def minimum_detectable(self) -> MinimumDetectableChange:
        fewer = tuple(self._detectable(count) for count in range(MIN_SEGMENT, WINDOW + 1))
        return MinimumDetectableChange(self.series.key, self.series.unit, self.noise, fewer[-1], fewer)

    def _detectable(self, count: int) -> float:
        """The smallest relative change that would be found between a window and so many releases."""
        needed = self._critical_value(WINDOW, count) * self._error(WINDOW, count, self._assumed_noise)
        return exp(max(self.minimum, needed)) - 1

    def find(self) -> None:
        """Set the places of real change points: drop the weakest until all that remain pass every test."""
        changes = fit.level_changes(self._logs / self._assumed_noise, fit.PENALTY)
        places = fit.relocate(changes, self._logs, self._assumed_noise, WINDOW)
        while places:
            strength, weakest = min((self._strength(at, places), at) for at in places)
            doubtful = [weakest] if strength < 1 else [at for at in places if self._reason(at, places)]
            if not doubtful:
                break
            places = [at for at in places if at != doubtful[0]]
        self.places = places

    def change_points(self) -> list[ChangePoint]:
        """The real change points, then the candidates, each with its reason."""
        cheaper = fit.level_changes(self._logs / self._assumed_noise, CANDIDATE_PENALTY)
        all_places = sorted({*cheaper, *self.places})
        real = [self._change_point(at, self.places, "") for at in self.places]
        return real + [
            candidate
            for at in cheaper
            # The cheaper fit may place a real change point one release beside itself.
            if all(abs(at - other) > 1 for other in self.places)
            and abs(self._shift(at, all_places)) >= self.minimum
            and (candidate := self._change_point(at, all_places, self._candidate_reason(at, all_places))).p
            < CANDIDATE_P
        ]

    def shift_at(self, change_point: ChangePoint) -> tuple[float, float] | None:
        """The shift of this series at another one's change point, and the margin of its 99 % interval.

        Both are logarithms on the other series' scale: a change of SQLAlchemy adds the same number of
        milliseconds or bytes with either DataFrame setting. None where this series lacks the release, or
        begins with it.
        """
        releases = self.series.releases
        if change_point.release not in releases or not (at := releases.index(change_point.release)):
            return None
        # What was found one release beside it is the same change, displaced by noise.
        others = [place for place in self.places if abs(place - at) > 1]
        counts = self._counts(at, others)
        margin = quantile(TAIL, freedom(counts)) * self._error(*counts, self._assumed_noise)
        before, _ = self._sides(at, others)
        scale = float(np.median(self.series.medians[before])) / change_point.before
        return log(max(1 + scale * (exp(self._shift(at, others)) - 1), 1e-9)), scale * margin

    def _sides(self, at: int, places: Sequence[int]) -> tuple[slice, slice]:
        """The releases before `at` and from it on, up to the next change points or a full window."""
        first = max([0, at - WINDOW, *(other for other in places if other < at)])
        last = min([len(self._logs), at + WINDOW, *(other for other in places if other > at)])
        return slice(first, at), slice(at, last)

    def _counts(self, at: int, places: Sequence[int]) -> tuple[int, int]:
        before, after = self._sides(at, places)
        return before.stop - before.start, after.stop - after.start

    def _shift(self, at: int, places: Sequence[int]) -> float:
        before, after = self._sides(at, places)
        return hodges_lehmann(self._logs[before], self._logs[after])

    def _error(self, before: int, after: int, noise: float) -> float:
        """The standard error of a shift between so many releases."""
        return HODGES_LEHMANN_ERROR * noise * float(np.sqrt(1 / before + 1 / after))

    def _critical_value(self, before: int, after: int) -> float:
        """How many standard errors a shift must exceed, two-sided at `alpha`."""
        return quantile(self._alpha / 2, freedom((before, after)))

    def _strength(self, at: int, places: Sequence[int]) -> float:
        """At least 1 where the shift is significant and not smaller than the smallest change that counts."""
        counts = self._counts(at, places)
        size = abs(self._shift(at, places))
        significant = self._critical_value(*counts) * self._error(*counts, self._assumed_noise)
        return min(size / significant, size / self.minimum)

    def _reason(self, at: int, places: Sequence[int]) -> str:
        """What else than SQLAlchemy explains the shift; empty where nothing does."""
        before, after = self._sides(at, places)
        shift = self._shift(at, places)
        if self._control is not None:
            moved = hodges_lehmann(self._control[before], self._control[after])
            if moved * shift > 0 and abs(moved) >= abs(shift) / 2:
                return "the bare start method moved along: it was the machine"
        nearby = self._logs[before.start : after.stop]
        if min(self._counts(at, places)) >= 2 and fit.drift_explains(
            nearby, at - before.start, self._assumed_noise
        ):
            return "a steady drift explains it as well"
        return ""

    def _candidate_reason(self, at: int, places: Sequence[int]) -> str:
        if min(counts := self._counts(at, places)) < MIN_SEGMENT:
            where = "at the end of the axis" if at + counts[1] == len(self._logs) else "too short"
            return f"{min(counts)} releases, {where}"
        return self._reason(at, places) or "within what noise may do"

    def _change_point(self, at: int, places: Sequence[int], reason: str) -> ChangePoint:
        before, after = self._sides(at, places)
        counts = self._counts(at, places)
        shift = self._shift(at, places)
        margin = quantile(TAIL, freedom(counts)) * self._error(*counts, self.noise)
        medians, releases = self.series.medians, self.series.releases
        deviations = abs(shift) / self._error(*counts, self._assumed_noise)
        return ChangePoint(
            key=self.series.key,
            unit=self.series.unit,
            previous=releases[at - 1],
            release=releases[at],
            before=float(np.median(medians[before])),
            after=float(np.median(medians[after])),
            ratio=exp(shift),
            low=exp(shift - margin),
            high=exp(shift + margin),
            p=float(2 * student.sf(deviations, freedom(counts))),
            reason=reason,
        )


def noise(series: Series, logs: Values) -> float:
    """One standard deviation of a release's logarithm: the larger of neighbour noise and sampling error."""
    return max(fit.neighbour_noise(logs), series.sampling_error)


@cache
def quantile(tail: float, degrees: int) -> float:
    """Of Student's distribution with so many degrees of freedom: the value that a share `tail` exceeds."""
    return float(student.isf(tail, degrees))


def freedom(counts: tuple[int, int]) -> int:
    """Degrees of freedom of a comparison of two groups."""
    return max(1, sum(counts) - 2)

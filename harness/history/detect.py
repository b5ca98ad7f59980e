"""Change points of all series together; docs/statistics.md explains the method."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from packaging.version import Version

from harness import strategies
from harness.history import agreement, retest, series
from harness.history.change_point import ChangePoint, ChangePoints
from harness.history.detector import Detector
from harness.history.retest import Retest
from harness.history.series import Series, SeriesKey
from harness.lifecycles.metrics import CONTROL_BENCHMARK
from harness.system.environment import ROOT

FALSE_ALARM_RATE = 0.01
"""The probability that a history without any change, all its series together, shows a change point."""

MIN_RELEASES = 8
"""Releases below which a series cannot estimate its noise, and is not tested."""


def recorded_change_points(results: Path = ROOT / "results") -> ChangePoints:
    """The change points of a folder of asv's results, with the retests on record.

    Raises `PoolstartError` for a damaged results file or record.
    """
    return change_points(series.load(results), retest.load())


def change_points(all_series: Iterable[Series], retests: Iterable[Retest] = ()) -> ChangePoints:
    """The change points, candidates and minimum detectable changes of all series together."""
    by_key = {one.key: one for one in all_series}
    measured = [one for one in by_key.values() if one.key.benchmark != CONTROL_BENCHMARK]
    counts = [one for one in measured if one.is_count]
    noisy = [
        one
        for one in measured
        if not one.is_count and len(one.releases) >= MIN_RELEASES and np.all(one.medians > 0)
    ]
    places = sum(len(one.releases) - 1 for one in noisy)
    detectors = [Detector(one, control_of(one, by_key), FALSE_ALARM_RATE / places) for one in noisy]
    for detector in detectors:
        detector.find()
    agreement.align(detectors)
    by_series = {detector.series.key: detector for detector in detectors}
    known = list(retests)
    found = [change_point for one in counts for change_point in count_changes(one)]
    for detector in detectors:
        found += [judged(change_point, by_series, known) for change_point in detector.change_points()]
    return ChangePoints(
        tuple(sorted(found, key=order)), tuple(detector.minimum_detectable for detector in detectors)
    )


def judged(
    change_point: ChangePoint, detectors: Mapping[SeriesKey, Detector], retests: Sequence[Retest]
) -> ChangePoint:
    """The change point, doubted where another series disagrees; a retest has the last word."""
    if change_point.real:
        change_point = replace(change_point, reason=agreement.disagreement(change_point, detectors))
    return retest.apply(change_point, retests)


def order(change_point: ChangePoint) -> tuple[Version, str, tuple[str, ...]]:
    return Version(change_point.release), change_point.key.benchmark, change_point.key.parameters


def control_of(one: Series, by_key: Mapping[SeriesKey, Series]) -> Series | None:
    """The bare start method that was measured in the same blocks as a time; None for any other unit."""
    if one.unit != "seconds":
        return None
    method = strategies.get(one.key.parameters[0]).start_method
    control = by_key.get(one.key.with_(CONTROL_BENCHMARK, (method,)))
    return control if control and set(one.releases) <= set(control.releases) else None


def count_changes(one: Series) -> list[ChangePoint]:
    """Every release whose count differs from the release before: counts repeat exactly."""
    return [
        ChangePoint(
            one.key, one.unit, one.releases[at - 1], one.releases[at],
            before, after, ratio, ratio, ratio, 0.0,
        )
        for at in range(1, len(one.releases))
        if set(one.samples[at]) != set(one.samples[at - 1])
        for before, after in [(float(one.medians[at - 1]), float(one.medians[at]))]
        for ratio in [after / before if before else float("inf")]
    ]  # fmt: skip

"""Agreement between series: a change of SQLAlchemy shows in more than one, and at the same release."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log

from harness.history.change_point import ChangePoint
from harness.history.detector import Detector
from harness.history.series import SeriesKey
from harness.lifecycles import metrics
from harness.lifecycles.cell import DATAFRAMES

MIN_SHARE = 0.5
"""The least part of a shift that a series which has to move along must show."""


def align(detectors: Sequence[Detector]) -> None:
    """Move each place by one release where more series of its environment have a change point there.

    Noise may displace a change point by one release.
    """
    by_environment: dict[tuple[str, str], Counter[str]] = {}
    for detector in detectors:
        key, releases = detector.series.key, detector.series.releases
        counter = by_environment.setdefault((key.machine, key.environment), Counter())
        counter.update(releases[at] for at in detector.places)
    for detector in detectors:
        key, releases = detector.series.key, detector.series.releases
        counter = by_environment[key.machine, key.environment]
        detector.places = sorted(
            {
                max(
                    # The place itself comes first: it stays where no other has more.
                    (at, *(other for other in (at - 1, at + 1) if 0 < other < len(releases))),
                    key=lambda place: counter[releases[place]],
                )
                for at in detector.places
            }
        )


def disagreement(change_point: ChangePoint, detectors: Mapping[SeriesKey, Detector]) -> str:
    """Which series did not shift although it has to move along, as a reason for doubt; empty for none.

    These are the strategies that run the same code until the measured moment, and the other DataFrame setting
    of the same strategy, which counts only where its 99 % interval excludes half of the shift.
    """
    key, size = change_point.key, log(change_point.ratio)
    strategy, dataframe = key.parameters
    metric = metrics.of_benchmark(key.benchmark)
    same_code = metric.same_code if metric else ()
    for other in same_code if strategy in same_code else ():
        detector = detectors.get(key.with_(key.benchmark, (other, dataframe)))
        shifted = detector.shift_at(change_point) if detector and other != strategy else None
        if shifted and shifted[0] / size < MIN_SHARE:
            return f"{other} runs the same code until then, and did not move"
    for other in DATAFRAMES:
        detector = detectors.get(key.with_(key.benchmark, (strategy, other)))
        shifted = detector.shift_at(change_point) if detector and other != dataframe else None
        if shifted:
            shift, margin = shifted
            least = MIN_SHARE * size
            if shift + margin < least if size > 0 else shift - margin > least:
                return f"with the DataFrame {other} it did not move"
    return ""

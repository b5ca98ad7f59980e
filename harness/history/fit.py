"""Robust fits of a sequence of values: where its level changes, by how much, and whether it only drifts.

Everything here is arithmetic on arrays; docs/statistics.md explains it and names the sources.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

Values = NDArray[np.float64]

LOSS_BOUND = 3.0
"""Distance from the fit, in standard deviations of the noise, beyond which a value costs no more."""

PENALTY = 30.0
"""What each change of level costs, in squared standard deviations of the noise."""

MIN_SEGMENT = ceil(PENALTY / LOSS_BOUND**2)
"""Values that a level needs: fewer cannot save the penalty of a change."""

MIN_DRIFT_MARGIN = 10.0
"""How much better a step has to fit than a drift, in squared standard deviations of the noise."""

SMOOTHING_WIDTHS = (3, 5, 9, 15)
"""Widths of the running medians that are tried as levels, besides the values themselves."""


def level_changes(values: Values, penalty: float) -> list[int]:
    """The indices at which a new level begins, by a penalized piecewise constant fit with bounded loss.

    `values` are in standard deviations of their noise. Minimizes the sum of min((value - level)^2,
    LOSS_BOUND^2) plus `penalty` for each change, by dynamic programming over a grid of candidate levels.
    Source: Fearnhead and Rigaill (2019), "Changepoint Detection in the Presence of Outliers".
    """
    count = len(values)
    grid = [values]
    for width in SMOOTHING_WIDTHS:
        if count >= width:
            windows = np.lib.stride_tricks.sliding_window_view(values, width)
            grid.append(np.median(windows, axis=1))
    level = np.unique(np.concatenate(grid))
    loss = np.minimum((values[:, None] - level[None, :]) ** 2, LOSS_BOUND**2)
    cost = loss[0]
    origins = []
    for index in range(1, count):
        cheapest = int(np.argmin(cost))
        stays = cost <= cost[cheapest] + penalty
        origins.append(np.where(stays, np.arange(len(level)), cheapest))
        cost = np.minimum(cost, cost[cheapest] + penalty) + loss[index]
    current, changes = int(np.argmin(cost)), []
    for index in range(count - 1, 0, -1):
        origin = int(origins[index - 1][current])
        if origin != current:
            changes.append(index)
        current = origin
    return changes[::-1]


def relocate(changes: Sequence[int], values: Values, noise: float, window: int) -> list[int]:
    """The same changes, each moved by up to `MIN_SEGMENT - 1` positions where that fits much better.

    The bounded loss does not see by how much a value is off, so a small change shortly before a large one
    draws the large one to itself. `noise` is one standard deviation of `values`; each change is judged by
    up to `window` values on either side.
    """
    moved: list[int] = []
    reach = MIN_SEGMENT - 1
    for number, change in enumerate(changes):
        first = max([0, change - window, *moved])
        last = min([len(values), change + window, *changes[number + 1 :]])
        nearby, here = values[first:last], change - first
        size = abs(np.median(nearby[here:]) - np.median(nearby[:here]))

        def remaining(index: int, nearby: Values = nearby, size: float = size) -> float:
            """What a change at `index` leaves, in squared standard deviations; outliers are cut off."""
            distances = [
                np.minimum(np.abs(side - np.median(side)), size) for side in (nearby[:index], nearby[index:])
            ]
            return float((np.concatenate(distances) ** 2).sum()) / noise**2

        best = min(range(max(1, here - reach), min(len(nearby) - 1, here + reach) + 1), key=remaining)
        moved.append(first + best if remaining(here) - remaining(best) > PENALTY else change)
    return moved


def drift_explains(values: Values, split: int, noise: float) -> bool:
    """Whether a steady drift fits `values` about as well as a change of level at index `split`.

    The drift is Theil and Sen's line; both fits are judged by the bounded loss, and the step has to be better
    by `MIN_DRIFT_MARGIN`. `noise` is one standard deviation of `values`.
    """
    positions = np.arange(len(values), dtype=np.float64)
    slope, intercept = theilslopes(values, positions)[:2]
    level = np.concatenate([np.full(len(side), np.median(side)) for side in (values[:split], values[split:])])

    def loss(fit: Values) -> float:
        return float(np.minimum(((values - fit) / noise) ** 2, LOSS_BOUND**2).sum())

    return loss(intercept + slope * positions) <= loss(level) + MIN_DRIFT_MARGIN


def hodges_lehmann(before: Values, after: Values) -> float:
    """By how much the values after are larger: the median of all pairwise differences.

    Source: Hodges and Lehmann (1963), "Estimates of Location Based on Rank Tests".
    """
    return float(np.median(np.subtract.outer(after, before)))


def neighbour_noise(values: Values) -> float:
    """One standard deviation of the noise, from the differences of neighbours (few of which hold a change).

    1.4826 is the ratio of a normal distribution's standard deviation to its median absolute deviation; a
    difference of two values varies by the square root of two more than one of them.
    """
    return 1.4826 * float(np.median(np.abs(np.diff(values)))) / 2**0.5

"""Interleaved pairs: two parents at once, whose workers start one right after the other.

A shared machine changes its speed within a second. Blocks of either side, seconds apart, meet it at different
speeds; two workers that start one after the other seldom do. The parent that does not start a worker waits
for a line on standard input, and needs no processor.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import exp, log
from statistics import median

from harness.lifecycles.cell import Cell
from harness.lifecycles.parent_handle import ParentHandle
from harness.lifecycles.plan import Plan, Report, booted
from harness.lifecycles.samples import Lifecycle
from harness.processes.errors import Rejected
from harness.strategies.strategy import Strategy
from harness.system import processors
from harness.system.conditions import Conditions, ConditionsMeter

BootedParents = AbstractContextManager[list[ParentHandle | None]]

CellPair = tuple[Cell, Cell]
"""A cell of the first side, and the one of the second side that it is compared with."""


@dataclass(frozen=True)
class Sample:
    """One metric of one pair of parents."""

    first: float
    second: float
    """The median of each parent's workers, in seconds or bytes."""
    ratio: float
    """Second to first, of workers that were neighbours in time: Hodges' and Lehmann's estimate."""


@dataclass(frozen=True)
class Pair:
    """One pair of parents of every cell pair."""

    samples: dict[CellPair, dict[str, Sample]]
    """By cell pair and metric; a rejected cell pair is missing."""
    conditions: Conditions


def measurable(plans: Sequence[Plan], cell_pair: CellPair) -> bool:
    """Whether both cells can be measured, and neither has been rejected."""
    return all(cell in plan.cells for plan, cell in zip(plans, cell_pair, strict=True))


def measure_pair(
    plans: Sequence[Plan],
    cell_pairs: Sequence[CellPair],
    workers: Callable[[Strategy], int],
    rng: random.Random,
    report: Report,
    *,
    time_left: Callable[[], bool] = lambda: True,
    boot: Callable[[Sequence[tuple[Plan, Cell]]], BootedParents] = booted,
) -> Pair:
    """Measure the cell pairs in random order, with the same number of workers on both sides.

    `plans` holds the plan of each side. Where a cell is rejected, its plan remembers the reason. Once
    `time_left` returns False no worker is started, and the cell pair that is not finished is left out.
    """
    watch, samples = ConditionsMeter(), {}
    for cell_pair in rng.sample(cell_pairs, len(cell_pairs)):
        if not time_left():
            break
        sides = list(zip(plans, cell_pair, strict=True))
        report(" and ".join(dict.fromkeys(map(str, cell_pair))))
        # Which side boots first is random too: the second one finds warmer caches, and a warmer server.
        order = rng.sample((0, 1), 2)
        with boot([sides[side] for side in order]) as parents, processors.off_measured_cpu():
            first, second = (parents[order.index(side)] for side in (0, 1))
            if first and second:
                number = min(workers(first.strategy), workers(second.strategy))
                try:
                    lifecycles = interleave(first, second, number, rng, time_left)
                except OutOfTime:
                    break
                except SideRejected as rejected:
                    plan, cell = sides[rejected.side]
                    plan.measured.rejected[cell.id] = str(rejected.reason)
                    continue
                samples[cell_pair] = samples_of(*lifecycles)
                for (plan, cell), of_side in zip(sides, lifecycles, strict=True):
                    if driver := of_side[-1].driver_to_preload:
                        plan.measured.drivers_to_preload[cell.strategy] = driver
    return Pair(samples, watch.conditions())


class OutOfTime(Exception):
    """The time was over before all workers of a pair had been started."""


class SideRejected(Exception):
    """One of two parents was rejected: side 0 or 1."""

    def __init__(self, side: int, reason: Rejected) -> None:
        super().__init__(side, reason)
        self.side, self.reason = side, reason


def interleave(
    first: ParentHandle,
    second: ParentHandle,
    workers: int,
    rng: random.Random,
    time_left: Callable[[], bool] = lambda: True,
) -> tuple[list[Lifecycle], list[Lifecycle]]:
    """`workers` lifecycles of each parent, two and two, in random order within the two.

    Raises `SideRejected` if a lifecycle is rejected, and `OutOfTime` once `time_left` returns False.
    """
    streams = [parent.lifecycles(workers) for parent in (first, second)]
    lifecycles: tuple[list[Lifecycle], list[Lifecycle]] = ([], [])
    for _ in range(workers):
        if not time_left():
            raise OutOfTime
        for side in rng.sample((0, 1), 2):
            try:
                lifecycles[side].append(next(streams[side]))
            except Rejected as reason:
                raise SideRejected(side, reason) from None
    return lifecycles


def samples_of(first: Sequence[Lifecycle], second: Sequence[Lifecycle]) -> dict[str, Sample]:
    """The samples by metric, each of the workers that it is read from (`harness.lifecycles.samples`)."""
    values: dict[str, list[tuple[float, float]]] = {}
    for one, other in zip(first, second, strict=True):
        others = other.samples
        for metric, value in one.samples.items():
            # Not every worker reports every metric, and there is no ratio to zero.
            if value and (other_value := others.get(metric)):
                values.setdefault(metric, []).append((value, other_value))
    return {
        metric: Sample(
            median(value for value, _ in neighbours),
            median(other_value for _, other_value in neighbours),
            exp(hodges_lehmann([log(other_value / value) for value, other_value in neighbours])),
        )
        for metric, neighbours in values.items()
    }


def hodges_lehmann(values: Sequence[float]) -> float:
    """The median of the means of all pairs of values, each with itself included.

    It varies by an eighth less than the median of ratios of workers, and a bad worker moves it as little.
    Source: Hodges and Lehmann (1963), "Estimates of Location Based on Rank Tests".
    """
    return median((one + other) / 2 for one, other in combinations_with_replacement(values, 2))

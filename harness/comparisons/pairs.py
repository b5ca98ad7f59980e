"""Two cells worker by worker in turns: how they compare, whatever the machine does meanwhile.

On a machine that others use too, speed changes within a second. Blocks of either side, seconds apart, meet it
at different speeds; two workers that are started one after the other seldom do. So both parents are there at
once, and start their workers by turns. The one whose turn it is not waits for a line, and wants no processor.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import median

from harness.lifecycles.cell import Cell
from harness.lifecycles.parent_handle import ParentHandle
from harness.lifecycles.plan import Plan, Report, booted
from harness.lifecycles.samples import Lifecycle
from harness.processes.errors import Rejected
from harness.strategies.strategy import Strategy
from harness.system import processors
from harness.system.conditions import Conditions, Watch

Match = tuple[Cell, Cell]
"""What is held against what: a cell of either side."""


@dataclass(frozen=True)
class Sample:
    """What a pair of parents says of one figure."""

    first: float
    second: float
    """Medians of either parent's workers, in seconds or bytes."""
    ratio: float
    """Second to first: of workers that had their turns one right after the other, the median."""


@dataclass(frozen=True)
class Pair:
    """A pair of parents of every match."""

    samples: dict[Match, dict[str, Sample]]
    """By metric."""
    conditions: Conditions


def measurable(plans: Sequence[Plan], match: Match) -> bool:
    """Whether neither side is rejected, or cannot be measured at all."""
    return all(cell in plan.cells for plan, cell in zip(plans, match, strict=True))


def pair(
    plans: Sequence[Plan],
    matches: Sequence[Match],
    workers: Callable[[Strategy], int],
    chance: random.Random,
    report: Report,
) -> Pair:
    """Measure matches in shuffled order, with as many workers of either parent.

    A match of which one side is rejected has no samples; that side's plan remembers the reason.
    """
    watch, found = Watch(), {}
    for match in chance.sample(matches, len(matches)):
        sides = list(zip(plans, match, strict=True))
        report(" and ".join(dict.fromkeys(map(str, match))))
        # Which side is there first is drawn too: the second one finds the server and the caches otherwise.
        order = chance.sample((0, 1), 2)
        with booted([sides[side] for side in order]) as parents, processors.off_measured_cpu():
            one, other = (parents[order.index(side)] for side in (0, 1))
            if one and other:
                number = min(workers(one.strategy), workers(other.strategy))
                try:
                    found[match] = paired(*in_turns(one, other, number, chance))
                except Turned as failed:
                    plan, cell = sides[failed.side]
                    plan.measured.rejected[cell.id] = str(failed.reason)
    return Pair(found, watch.conditions())


class Turned(Exception):
    """One of the two was rejected."""

    def __init__(self, side: int, reason: Rejected) -> None:
        super().__init__(side, reason)
        self.side, self.reason = side, reason


def in_turns(
    one: ParentHandle, other: ParentHandle, workers: int, chance: random.Random
) -> tuple[list[Lifecycle], list[Lifecycle]]:
    """As many lifecycles of either; whose turn is first is drawn anew for each two."""
    streams = [parent.lifecycles(workers) for parent in (one, other)]
    lives: tuple[list[Lifecycle], list[Lifecycle]] = ([], [])
    for _ in range(workers):
        for side in chance.sample((0, 1), 2):
            try:
                lives[side].append(next(streams[side]))
            except Rejected as reason:
                raise Turned(side, reason) from None
    return lives


def paired(ones: Sequence[Lifecycle], others: Sequence[Lifecycle]) -> dict[str, Sample]:
    """By metric, of the workers that it is read from (`harness.lifecycles.samples`)."""
    values: dict[str, list[tuple[float, float]]] = {}
    for one, other in zip(ones, others, strict=True):
        samples = other.samples
        for metric, first in one.samples.items():
            # Not every worker reports everything, and there is no ratio of nothing.
            if first and (second := samples.get(metric)):
                values.setdefault(metric, []).append((first, second))
    return {
        metric: Sample(
            median(first for first, _ in both),
            median(second for _, second in both),
            exp(median(log(second / first) for first, second in both)),
        )
        for metric, both in values.items()
    }

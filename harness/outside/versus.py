"""Two things against each other in one run: measured in turns, judged by pairs.

A pair is one block of either side, one right after the other, in an order drawn anew each time: what the
machine does for longer than a pair meets both, and leaves their ratio alone. The logarithm of that ratio is
the sample, its mean and Student's interval the answer; one bad pair widens the interval and proves nothing.
Of all figures of a comparison together, at most one comparison in fifty of a thing with itself may call one
slower or faster (Holm's correction).
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log
from pathlib import Path
from statistics import mean, median, stdev

from scipy.stats import t as student

from harness.outside.blocks import Block, mark
from harness.outside.cell import DATAFRAMES, Cell
from harness.outside.plan import Plan
from harness.outside.profile import Profile
from harness.outside.samples import LEAST_CHANGE, unit
from harness.postgres.server import Server
from harness.system.custody import Custody

METRICS = ("time_to_first_row", "startup", "first_query", "second_query", "uss")
"""What is compared, where nothing else is asked for."""

FALSE_ALARMS = 0.02
"""How often a comparison of a thing with itself may call any figure slower or faster."""

CONFIDENCE = 0.99
"""Of the interval of one ratio."""

LEAST = 6
"""Pairs without which nothing is judged."""

Pairs = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Side:
    """One of the two."""

    name: str
    """As the user called it."""
    release: str
    """The SQLAlchemy it imports."""
    python: Path
    strategies: tuple[str, ...]

    def cells(self, dataframes: Sequence[str]) -> list[Cell]:
        return [Cell(strategy, dataframe) for dataframe in dataframes for strategy in self.strategies]


@dataclass(frozen=True)
class Row:
    """One figure of either side."""

    metric: str
    strategy: str
    """Of both, or `first -> second` where that is what differs."""
    dataframe: str
    pairs: int
    first: float
    second: float
    """Medians, in seconds or bytes."""
    ratio: float
    """Second to first, by pairs."""
    low: float
    high: float
    p: float
    verdict: str
    """`slower`, `faster`, `same` or `cannot tell`; more memory is `slower` too."""

    def worse(self, tolerate: float) -> bool:
        return self.verdict == "slower" and self.ratio > 1 + tolerate


@dataclass(frozen=True)
class Comparison:
    """What a run has found."""

    first: Side
    second: Side
    rows: tuple[Row, ...]
    disturbed: int
    """Pairs that were left out because something else wanted the machine."""
    seconds: float
    rejected: list[str]
    not_applicable: list[str]
    notes: tuple[str, ...]
    """In what else than the thing compared the two differ."""


def compare(
    first: Side,
    second: Side,
    server: Server,
    profile: Profile,
    *,
    dataframes: Sequence[str] = DATAFRAMES,
    pairs: int = 10,
    budget: float = 600,
    tolerate: float = 0.03,
    seed: int | None = None,
    metrics: Iterable[str] = METRICS,
    report: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Measure both in turns: `pairs` of blocks, then more of the cells that have an interval wider than
    `tolerate` either way, until that is narrow enough or `budget` seconds are spent. Any of
    `harness.outside.samples.METRICS` may be judged.
    """
    shuffled = random.Random(seed)
    began = time.monotonic()
    found: list[tuple[Block, Block]] = []
    with Custody() as custody:
        plans = [
            Plan(side.cells(dataframes), server, profile, custody, release=side.release, python=side.python)
            for side in (first, second)
        ]
        for side, plan in zip((first, second), plans, strict=True):
            report(f"warming up {side.name}")
            plan.warm_up()
        wanted: list[int] = list(range(len(first.strategies) * len(dataframes)))
        while wanted:
            blocks: dict[int, Block] = {}
            order = [0, 1]
            shuffled.shuffle(order)
            turns = shuffled.getrandbits(32)
            for turn in order:
                report(f"pair {len(found) + 1} of at least {pairs}{left(began, len(found), pairs)}")
                measurable = plans[turn].cells
                cells = [(first, second)[turn].cells(dataframes)[index] for index in wanted]
                blocks[turn] = plans[turn].block(turns, [cell for cell in cells if cell in measurable])
            found.append((blocks[0], blocks[1]))
            kept = undisturbed(found, pairs)
            rows = judge(samples(kept, first, second, dataframes, metrics), tolerate)
            if len(kept) >= pairs:
                wide = {
                    (row.strategy, row.dataframe)
                    for row in rows
                    if not row.low or row.high / row.low > (1 + tolerate) ** 2
                }
                wanted = [
                    index
                    for index, (one, other) in enumerate(together(first, second, dataframes))
                    if (label(one.strategy, other.strategy), one.dataframe) in wide
                ]
            spent = time.monotonic() - began
            if len(found) >= pairs and spent + spent / len(found) > budget:
                break
    return Comparison(
        first,
        second,
        tuple(rows),
        len(found) - len(kept),
        time.monotonic() - began,
        [reason for plan in plans for reason in plan.measured.rejected.values()],
        [reason for plan in plans for reason in dict.fromkeys(plan.measured.not_applicable.values())],
        notes(plans[0].measured.facts, plans[1].measured.facts, varied={"sqlalchemy"}),
    )


def undisturbed(found: Sequence[tuple[Block, Block]], wanted: int) -> list[tuple[Block, Block]]:
    """The pairs in which neither block stands out; all of them where too few would be left."""
    marked = mark([block for pair in found for block in pair])
    kept = [
        (one, other)
        for one, other in zip(marked[::2], marked[1::2], strict=True)
        if not one.disturbed and not other.disturbed
    ]
    return kept if len(kept) >= min(wanted, LEAST) else list(found)


def together(first: Side, second: Side, dataframes: Sequence[str]) -> list[tuple[Cell, Cell]]:
    """Which cell of the one is held against which of the other."""
    return list(zip(first.cells(dataframes), second.cells(dataframes), strict=True))


def label(one: str, other: str) -> str:
    return one if one == other else f"{one} -> {other}"


def samples(
    found: Sequence[tuple[Block, Block]],
    first: Side,
    second: Side,
    dataframes: Sequence[str],
    metrics: Iterable[str] = METRICS,
) -> dict[tuple[str, str, str], Pairs]:
    """By metric, strategy and DataFrame: what both sides measured in the same pair."""
    values = {
        (metric, label(one.strategy, other.strategy), one.dataframe): [
            (left, right)
            for before, after in found
            if (left := before.samples.get(one.id, {}).get(metric))
            if (right := after.samples.get(other.id, {}).get(metric))
        ]
        for metric in metrics
        for one, other in together(first, second, dataframes)
    }
    return {key: pairs for key, pairs in values.items() if pairs}


def left(began: float, done: int, pairs: int) -> str:
    """How long the pairs that are always measured will take."""
    if not done or done >= pairs:
        return ""
    return f", about {(time.monotonic() - began) / done * (pairs - done):.0f} s left for those"


def judge(measured: Mapping[tuple[str, str, str], Pairs], tolerate: float) -> list[Row]:
    """A verdict of every figure, all of them together; what is too small for a step is none here either."""
    seen = {key: difference(pairs) for key, pairs in measured.items()}
    beyond = surpassing([p for *_, p in seen.values()])
    rows = []
    for ((metric, strategy, dataframe), (middle, margin, p)), real in zip(seen.items(), beyond, strict=True):
        pairs = measured[metric, strategy, dataframe]
        if real and abs(middle) >= log(1 + LEAST_CHANGE[unit(metric)]):
            verdict = "slower" if middle > 0 else "faster"
        else:
            verdict = "same" if abs(middle) + margin <= log(1 + tolerate) else "cannot tell"
        rows.append(
            Row(
                metric,
                strategy,
                dataframe,
                pairs=len(pairs),
                first=median(one for one, _ in pairs),
                second=median(other for _, other in pairs),
                ratio=exp(middle),
                low=exp(middle - margin),
                high=exp(middle + margin) if margin < inf else inf,
                p=p,
                verdict=verdict,
            )
        )
    return rows


def difference(pairs: Pairs) -> tuple[float, float, float]:
    """The logarithm of second to first, half its interval, and how often noise alone would show as much."""
    logs = [log(other / one) for one, other in pairs]
    middle = mean(logs)
    if len(logs) < LEAST:
        return middle, inf, 1.0
    error, freedom = stdev(logs) / len(logs) ** 0.5, len(logs) - 1
    margin = float(student.isf((1 - CONFIDENCE) / 2, freedom)) * error
    if not error:
        return middle, 0.0, 0.0 if middle else 1.0
    return middle, margin, float(2 * student.sf(abs(middle) / error, freedom))


def surpassing(ps: Sequence[float]) -> list[bool]:
    """Which of them are beyond chance, all together (Holm 1979)."""
    beyond = [False] * len(ps)
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda number: ps[number])):
        if ps[index] > FALSE_ALARMS / (len(ps) - rank):
            break
        beyond[index] = True
    return beyond


def notes(first: Mapping[str, object], second: Mapping[str, object], varied: set[str]) -> tuple[str, ...]:
    """What was not to vary, and does: above all whether SQLAlchemy's C extensions are loaded."""
    return tuple(
        f"{name} differs: {first[name]} and {second.get(name)}"
        for name in first
        if name not in varied and first[name] != second.get(name)
    )

"""Two things against each other in one run: measured in turns, judged by pairs.

A pair is a parent of either side, whose workers take turns (`harness.comparisons.pairs`): what the machine
does for longer than a worker lives meets both, and leaves their ratio alone. The logarithm of that ratio is
the sample, its mean and Student's interval the answer; one bad pair widens the interval and proves nothing.
Of all figures of a comparison together, at most one comparison in fifty of a thing with itself may call one
slower or faster (Holm's correction).
"""

import random
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, inf, log
from pathlib import Path
from statistics import mean, median, stdev

from scipy.stats import t as student

from harness.comparisons import pairs as turns
from harness.comparisons.pairs import Match, Pair, Sample
from harness.lifecycles import metrics as registry
from harness.lifecycles.blocks import noise_reason
from harness.lifecycles.cell import DATAFRAMES, Cell
from harness.lifecycles.metrics import Table
from harness.lifecycles.plan import Plan
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.processes.supervision import Supervision

FALSE_ALARMS = 0.02
"""How often a comparison of a thing with itself may call any figure slower or faster."""

CONFIDENCE = 0.99
"""Of the interval of one ratio."""

LEAST = 6
"""Pairs without which nothing is judged."""

TIMES = 3
"""As many workers has a parent here as in a run: turns are what takes the machine out of a ratio, and to boot
a parent costs as much as ten of them."""


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
    times: int = TIMES,
    budget: float = 600,
    tolerate: float = 0.03,
    seed: int | None = None,
    metrics: Iterable[str] | None = None,
    narrow: Container[str] | None = None,
    only: Container[Cell] | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Measure both in turns: `pairs` of parents with `times` the workers that the profile has, then more of
    the cells that have an interval wider than `tolerate` either way, until that is narrow enough or `budget`
    seconds are spent. `metrics` are ids of `harness.lifecycles.metrics`, by default those of the comparison's
    table; `narrow` says for which of them more pairs are measured, by default for all; `only` some cells of
    the first side.
    """
    metrics = metrics or [metric.id for metric in registry.shown_in(Table.COMPARISON)]
    chance = random.Random(seed)
    began = time.monotonic()
    rows: list[Row] = []
    kept: Sequence[Pair] = []
    found: list[Pair] = []
    longer = replace(profile, forks=times * profile.forks, boots=times * profile.boots)
    with Supervision() as supervision:
        plans = [
            Plan(
                side.cells(dataframes), server, longer, supervision, release=side.release, python=side.python
            )
            for side in (first, second)
        ]
        for side, plan in zip((first, second), plans, strict=True):
            report(f"warming up {side.name}")
            plan.warm_up()
        both = zip(first.cells(dataframes), second.cells(dataframes), strict=True)
        matches = [match for match in both if only is None or match[0] in only]
        wanted = matches
        while wanted := [match for match in wanted if turns.measurable(plans, match)]:
            what = f"pair {len(found) + 1} of at least {pairs}{left(began, len(found), pairs)}"
            found.append(
                turns.pair(
                    plans, wanted, longer.workers, chance,
                    lambda cell, what=what: report(f"{what}: {cell}"),  # type: ignore[misc]
                )
            )  # fmt: skip
            kept = undisturbed(found, pairs)
            rows = judge(samples(kept, matches, metrics), tolerate)
            if len(kept) >= pairs:
                wide = {
                    (row.strategy, row.dataframe)
                    for row in rows
                    if (narrow is None or row.metric in narrow)
                    and (not row.low or row.high / row.low > (1 + tolerate) ** 2)
                }
                wanted = [match for match in matches if (label(match), match[0].dataframe) in wide]
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


def undisturbed(found: Sequence[Pair], wanted: int) -> Sequence[Pair]:
    """The pairs in which nothing else wanted the machine; all of them where too few would be left."""
    usual = median(pair.conditions.pressure or 0 for pair in found)
    kept = [pair for pair in found if not noise_reason(pair.conditions, usual)]
    return kept if len(kept) >= min(wanted, LEAST) else found


def label(match: Match) -> str:
    one, other = (cell.strategy for cell in match)
    return one if one == other else f"{one} -> {other}"


def samples(
    found: Sequence[Pair], matches: Sequence[Match], metrics: Iterable[str]
) -> dict[tuple[str, str, str], list[Sample]]:
    """By metric, strategy and DataFrame: a sample a pair."""
    values = {
        (metric, label(match), match[0].dataframe): [
            some[metric] for pair in found if metric in (some := pair.samples.get(match, {}))
        ]
        for metric in metrics
        for match in matches
    }
    return {key: some for key, some in values.items() if some}


def left(began: float, done: int, pairs: int) -> str:
    """How long the pairs that are always measured will take."""
    if not done or done >= pairs:
        return ""
    return f", about {(time.monotonic() - began) / done * (pairs - done):.0f} s left for those"


def judge(measured: Mapping[tuple[str, str, str], Sequence[Sample]], tolerate: float) -> list[Row]:
    """A verdict of every figure, all of them together; what is too small for a step is none here either."""
    seen = {key: difference([sample.ratio for sample in some]) for key, some in measured.items()}
    beyond = surpassing([p for *_, p in seen.values()])
    rows = []
    for ((metric, strategy, dataframe), (middle, margin, p)), real in zip(seen.items(), beyond, strict=True):
        some = measured[metric, strategy, dataframe]
        before = median(sample.first for sample in some)
        if real and abs(middle) >= log(1 + registry.min_relevant_change(metric, before)):
            verdict = "slower" if middle > 0 else "faster"
        else:
            verdict = "same" if abs(middle) + margin <= log(1 + tolerate) else "cannot tell"
        rows.append(
            Row(
                metric,
                strategy,
                dataframe,
                pairs=len(some),
                first=before,
                second=median(sample.second for sample in some),
                ratio=exp(middle),
                low=exp(middle - margin),
                high=exp(middle + margin) if margin < inf else inf,
                p=p,
                verdict=verdict,
            )
        )
    return rows


def difference(ratios: Sequence[float]) -> tuple[float, float, float]:
    """The logarithm of second to first, half its interval, and how often noise alone would show as much."""
    logs = [log(ratio) for ratio in ratios]
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

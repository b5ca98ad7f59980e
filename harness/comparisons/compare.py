"""A comparison of two sides in one run, by interleaved pairs.

The sides are two releases, strategies, interpreters or versions of any package. What slows the machine for
longer than a worker's life slows both workers of a pair, and leaves their ratio alone: ratios are judged
(`harness.comparisons.judge`), times are only shown.
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from harness import drivers
from harness.comparisons import pairs
from harness.comparisons.judge import MIN_PAIRS, ComparisonRow, FigureKey, judge
from harness.comparisons.pairs import CellPair, Pair, Sample
from harness.comparisons.result import Comparison, Side
from harness.console.numbers import duration
from harness.lifecycles import metrics
from harness.lifecycles.blocks import noise_reason
from harness.lifecycles.cell import DATAFRAMES
from harness.lifecycles.metrics import Table
from harness.lifecycles.plan import Plan, Report
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.processes.supervision import Supervision
from harness.system import busy

WORKER_FACTOR = 3
"""How many times the workers of a run a parent starts here: only interleaved workers remove the machine from
a ratio, and a parent takes as long to boot as ten of them take to start."""


@dataclass(frozen=True)
class ComparisonSettings:
    """What is measured, and when it is enough."""

    dataframes: tuple[str, ...] = DATAFRAMES
    pairs: int = 10
    """Pairs of parents that are always measured."""
    worker_factor: int = WORKER_FACTOR
    """Times the workers that the profile gives a parent."""
    budget: float = 600
    """Seconds after which no worker is started, however few pairs there are."""
    tolerate: float = 0.03
    """Pairs are added while an interval is wider than this, relative, on either side."""
    seed: int | None = None
    """Of the random order; by default a new one each time."""
    metrics: tuple[str, ...] = ()
    """Ids of `harness.lifecycles.metrics`; by default those of the comparison's table."""
    deciding: frozenset[str] | None = None
    """The metrics whose intervals call for more pairs; by default all."""

    @property
    def metric_ids(self) -> tuple[str, ...]:
        return self.metrics or tuple(metric.id for metric in metrics.shown_in(Table.COMPARISON))

    def lengthen(self, profile: Profile) -> Profile:
        """The profile with the workers that a parent starts here."""
        factor = self.worker_factor
        return replace(profile, forks=factor * profile.forks, boots=factor * profile.boots)

    def cell_pairs(self, first: Side, second: Side) -> list[CellPair]:
        return list(zip(first.cells(self.dataframes), second.cells(self.dataframes), strict=True))

    def undecided(self, rows: Iterable[ComparisonRow]) -> set[tuple[str, str]]:
        """Strategy and DataFrame setting of the rows whose intervals are still too wide."""
        return {
            (row.strategy, row.dataframe)
            for row in rows
            if (self.deciding is None or row.metric in self.deciding)
            and (not row.low or row.high / row.low > (1 + self.tolerate) ** 2)
        }


def compare(
    first: Side,
    second: Side,
    server: Server,
    profile: Profile,
    settings: ComparisonSettings,
    report: Report = lambda _: None,
) -> Comparison:
    """Measure both sides in interleaved pairs, and judge their ratios.

    Raises `PoolstartError` if a side cannot be warmed up, or is not the release that it claims to be.
    """
    began = time.monotonic()
    longer = settings.lengthen(profile)
    running = busy.running_tasks()
    with Supervision() as supervision:
        plans = [
            Plan(
                side.cells(settings.dataframes),
                server,
                replace(longer, driver=side.driver),
                supervision,
                release=side.release,
                python=side.python,
                of_pairs=True,
            )
            for side in (first, second)
        ]
        for side, plan in zip((first, second), plans, strict=True):
            report(f"warming up {side.name}")
            plan.warm_up()
        return run(
            (first, second),
            plans,
            settings,
            profile,
            report,
            elapsed=lambda: time.monotonic() - began,
            running=running,
        )


def run(
    sides: tuple[Side, Side],
    plans: Sequence[Plan],
    settings: ComparisonSettings,
    profile: Profile,
    report: Report,
    *,
    elapsed: Callable[[], float],
    measure_pair: Callable[..., Pair] = pairs.measure_pair,
    running: float | None = None,
) -> Comparison:
    """Measure pairs until there are enough; `elapsed` returns the seconds since the comparison began.

    Many pairs decide more than many workers of each: where the pairs do not fit into the time, parents start
    only the workers that the profile gives them. `running` is the number of tasks that ran before it, for
    each processor.
    """
    rng = random.Random(settings.seed)
    cell_pairs = settings.cell_pairs(*sides)
    measured: list[Pair] = []
    quiet: Sequence[Pair] = []
    rows: list[ComparisonRow] = []
    wanted = cell_pairs
    workers = settings.lengthen(profile).workers
    while wanted := [cell_pair for cell_pair in wanted if pairs.measurable(plans, cell_pair)]:
        number = len(measured)
        prefix = f"pair {number + 1} of at least {settings.pairs}"
        prefix += remaining(elapsed(), number, settings)
        measured.append(
            measure_pair(
                plans, wanted, workers, rng,
                lambda cell, prefix=prefix: report(f"{prefix}: {cell}"),
                time_left=lambda: elapsed() < settings.budget,
            )
        )  # fmt: skip
        quiet = quiet_pairs(measured, settings.pairs)
        rows = judge(samples_by_figure(quiet, cell_pairs, settings.metric_ids), settings.tolerate)
        if len(quiet) >= settings.pairs:
            undecided = settings.undecided(rows)
            wanted = [pair for pair in cell_pairs if (label(pair), pair[0].dataframe) in undecided]
        spent = elapsed()
        if spent >= settings.budget:
            break
        if spent / len(measured) * settings.pairs > settings.budget:
            workers = profile.workers
        if len(measured) >= settings.pairs and spent + spent / len(measured) > settings.budget:
            break
    return Comparison(
        *sides,
        tuple(rows),
        noisy=len(measured) - len(quiet),
        seconds=elapsed(),
        rejected=[reason for plan in plans for reason in plan.measured.rejected.values()],
        not_applicable=[
            reason for plan in plans for reason in dict.fromkeys(plan.measured.not_applicable.values())
        ],
        notes=(
            *differences(plans[0].measured.facts, plans[1].measured.facts, varied=varied(*sides)),
            *dict.fromkeys(warning for plan in plans for warning in plan.measured.warnings),
        ),
        # What is usual here is not asked: ratios bear more load than times do.
        busy=busy.reason([pair.conditions for pair in measured], running=running),
        tolerate=settings.tolerate,
    )


def quiet_pairs(measured: Sequence[Pair], wanted: int) -> Sequence[Pair]:
    """The pairs during which nothing else used the processors; all of them if too few would be left."""
    usual = median(pair.conditions.pressure or 0 for pair in measured)
    quiet = [pair for pair in measured if not noise_reason(pair.conditions, usual)]
    return quiet if len(quiet) >= min(wanted, MIN_PAIRS) else measured


def label(cell_pair: CellPair) -> str:
    """The strategy of both cells, or `first -> second`."""
    first, second = (cell.strategy for cell in cell_pair)
    return first if first == second else f"{first} -> {second}"


def samples_by_figure(
    measured: Sequence[Pair], cell_pairs: Sequence[CellPair], metric_ids: Iterable[str]
) -> dict[FigureKey, list[Sample]]:
    """One sample a pair, of every figure that has any."""
    figures = {
        (metric, label(cell_pair), cell_pair[0].dataframe): [
            samples[metric] for pair in measured if metric in (samples := pair.samples.get(cell_pair, {}))
        ]
        for metric in metric_ids
        for cell_pair in cell_pairs
    }
    return {key: samples for key, samples in figures.items() if samples}


def remaining(elapsed: float, done: int, settings: ComparisonSettings) -> str:
    """How long the pairs that are always measured will still take, and all at most, for the progress line."""
    left, always = settings.budget - elapsed, ""
    if 0 < done < settings.pairs:
        always = f", about {duration(min(elapsed / done * (settings.pairs - done), left))} left for those"
    return f"{always}, at most {duration(left)} left"


def varied(first: Side, second: Side) -> set[str]:
    """The facts that may differ between these sides."""
    if first.driver == second.driver:
        return {"sqlalchemy"}
    modules = {drivers.get(side.driver).module for side in (first, second)}
    return {"sqlalchemy", "libpq", "implementation", *modules}


def differences(
    first: Mapping[str, object], second: Mapping[str, object], varied: set[str]
) -> tuple[str, ...]:
    """Facts that differ although only `varied` should: above all whether C extensions are loaded."""
    return tuple(
        f"{name} differs: {first[name]} and {second.get(name)}"
        for name in first
        if name not in varied and first[name] != second.get(name)
    )

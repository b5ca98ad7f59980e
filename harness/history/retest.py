"""Retests: both releases of a change point measured again in interleaved pairs, in one run.

The releases of a history were measured far apart in time, here one right after the other: noise that looked
like a change point would have to repeat itself. docs/statistics.md says what confirms and what refutes one.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from itertools import product
from math import log
from pathlib import Path

from harness.comparisons import compare as comparison
from harness.comparisons.compare import WORKER_FACTOR, Comparison, ComparisonSettings, Side
from harness.comparisons.judge import ComparisonRow
from harness.console.progress import Progress
from harness.history.change_point import ChangePoint, ChangePoints, ReleasePair, RetestOutcome
from harness.lifecycles import metrics
from harness.lifecycles.cell import Cell
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.records import store
from harness.records.provenance import Provenance
from harness.system.structure import structure

RECORD = store.path("retests")

REFUTE_SHARE = 0.5
"""A retest refutes a change point whose 99 % interval lies below this share of its size."""


@dataclass(frozen=True)
class Retest:
    """A row of the record: one metric of one cell in both releases, measured in interleaved pairs."""

    previous: str
    release: str
    metric: str
    strategy: str
    dataframe: str
    before: float
    after: float
    """Medians, in seconds or bytes."""
    ratio: float
    """The release to the one before."""
    low: float
    high: float
    """The ratio's 99 % interval."""
    verdict: str
    """`slower`, `faster`, `same` or `cannot tell`, corrected for all figures of its comparison."""
    pairs: int
    provenance: Provenance
    """Its machine is asv's name of it."""

    @property
    def machine(self) -> str:
        return self.provenance.machine

    @property
    def release_pair(self) -> ReleasePair:
        return ReleasePair(self.previous, self.release, self.metric, self.strategy, self.dataframe)

    def judge(self, ratio: float) -> str:
        """`confirmed`, `refuted` or `undecided`: what this says of a change point with that ratio."""
        smallest = log(1 + metrics.min_relevant_change(self.metric, self.before))
        expected = max(REFUTE_SHARE * abs(log(ratio)), smallest)
        if log(self.high) < expected if ratio > 1 else log(self.low) > -expected:
            return "refuted"
        significant = self.verdict in ("slower", "faster") and abs(log(self.ratio)) >= smallest
        return "confirmed" if significant else "undecided"


def load(path: Path = RECORD) -> list[Retest]:
    """The retests on record; none where there is no record. Raises `PoolstartError` for a damaged one."""
    if not path.exists():
        return []
    with store.reading(path, "poolstart record retests") as rows:
        return structure(list[Retest], rows)


def save(retests: Sequence[Retest], path: Path = RECORD) -> None:
    """Replace the record. Raises `PoolstartError` if it cannot be written."""
    store.write(path, [asdict(retest) for retest in retests])


def add(retests: Sequence[Retest], path: Path = RECORD) -> None:
    """Record these, in place of earlier retests of the same release pairs on the same machine."""
    new = {(retest.machine, retest.release_pair) for retest in retests}
    kept = [retest for retest in load(path) if (retest.machine, retest.release_pair) not in new]
    save([*kept, *retests], path)


def apply(change_point: ChangePoint, retests: Sequence[Retest]) -> ChangePoint:
    """The change point with the outcome of its retest: refuted it is in doubt, confirmed beyond doubt.

    What SQLAlchemy changed is changed on any machine. A retest that decides counts before one that does not,
    then one on the machine of the series before one elsewhere.
    """
    outcomes = [
        RetestOutcome(
            retest.judge(change_point.ratio),
            retest.ratio,
            retest.low,
            retest.high,
            elsewhere=retest.machine if retest.machine != change_point.key.machine else "",
        )
        for retest in retests
        if retest.release_pair == change_point.release_pair
    ]
    if not outcomes:
        return change_point
    best = min(outcomes, key=lambda outcome: (outcome.outcome == "undecided", bool(outcome.elsewhere)))
    reasons = {"confirmed": "", "refuted": f"measured again in interleaved pairs{best.where}, it is gone"}
    return replace(change_point, retest=best, reason=reasons.get(best.outcome, change_point.reason))


def due(
    change_points: ChangePoints, server: Server, machine: str, only: Collection[str] = ()
) -> list[ReleasePair]:
    """The release pairs to retest: those of this machine's own history, or if it has none, of all others.

    Steps come before candidates, pairs that were never retested before undecided ones, and then the releases
    with most pairs first. `only` restricts them to some releases, strategies or metrics.
    """
    ours = [
        point
        for point in change_points.found
        if point.key.environment.endswith(server.identity) and point.unit in metrics.MIN_RELATIVE_CHANGE
    ]
    here = [point for point in ours if point.key.machine == machine] or ours
    wanted, pairs = set(only), dict[ReleasePair, None]()
    for real, outcome in product((True, False), ("", "undecided")):
        group = [
            point.release_pair
            for point in here
            if point.real == real and (point.retest.outcome if point.retest else "") == outcome
        ]
        size = Counter((pair.previous, pair.release) for pair in group)
        pairs |= dict.fromkeys(sorted(group, key=lambda pair: -size[pair.previous, pair.release]))
    return [pair for pair in pairs if not wanted or wanted & set(astuple(pair))]


def by_releases(release_pairs: Iterable[ReleasePair]) -> list[tuple[tuple[str, str], list[ReleasePair]]]:
    """The comparisons that cover these pairs, in the same order: two releases, and the pairs of them."""
    comparisons: dict[tuple[str, str], list[ReleasePair]] = {}
    for pair in release_pairs:
        comparisons.setdefault((pair.previous, pair.release), []).append(pair)
    return list(comparisons.items())


def measure(
    release_pairs: Iterable[ReleasePair],
    interpreter: Callable[[str], Path],
    server: Server,
    profile: Profile,
    *,
    provenance: Callable[[], Provenance],
    pairs: int,
    budget: float,
    report: Progress,
    keep: Callable[[list[Retest]], None],
    compare: Callable[..., Comparison] = comparison.compare,
) -> int:
    """Compare the two releases of all pairs, in their order.

    Calls `keep` after each comparison; starts none after `budget` seconds. Returns how many comparisons were
    not started.
    """
    began = time.monotonic()
    in_order = by_releases(release_pairs)
    for number, (((previous, release), wanted), inner) in enumerate(
        report.each(in_order, name=lambda item: " and ".join(item[0]))
    ):
        if time.monotonic() - began > budget:
            return len(in_order) - number
        strategies = tuple(dict.fromkeys(pair.strategy for pair in wanted))
        dataframes = tuple(dict.fromkeys(pair.dataframe for pair in wanted))
        names = tuple(dict.fromkeys(pair.metric for pair in wanted))
        timed = any(metrics.get(name).unit == "seconds" for name in names)
        settings = ComparisonSettings(
            dataframes=dataframes,
            pairs=pairs,
            # Memory is the same with every worker, to a thousandth.
            worker_factor=WORKER_FACTOR if timed else 1,
            budget=0,
            metrics=names,
            cells=frozenset(Cell(pair.strategy, pair.dataframe) for pair in wanted),
        )
        compared = compare(
            Side(previous, previous, interpreter(previous), strategies),
            Side(release, release, interpreter(release), strategies),
            server,
            profile,
            settings,
            inner,
        )
        measured = provenance()
        retests = [of_row(row, previous, release, measured) for row in compared.rows]
        keep([retest for retest in retests if retest.release_pair in wanted])
    return 0


def of_row(row: ComparisonRow, previous: str, release: str, provenance: Provenance) -> Retest:
    """A row of a comparison as it is recorded: to five digits."""

    def rounded(value: float) -> float:
        return float(f"{value:.5g}")

    return Retest(
        previous=previous,
        release=release,
        metric=row.metric,
        strategy=row.strategy,
        dataframe=row.dataframe,
        before=rounded(row.first),
        after=rounded(row.second),
        ratio=rounded(row.ratio),
        low=rounded(row.low),
        high=rounded(row.high),
        verdict=row.verdict,
        pairs=row.pairs,
        provenance=provenance,
    )

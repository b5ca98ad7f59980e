"""Ratios of releases to one reference release, measured in interleaved pairs of parents, and their record.

Pairs of two releases say nothing about a third one, and levels of two days differ by more than releases do.
So every release is paired with the same one, and a change between two releases is the difference of their
logarithms.
"""

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import log
from pathlib import Path
from statistics import median

from packaging.version import Version

from harness.comparisons import pairs
from harness.console.progress import Progress
from harness.lifecycles.cell import Cell
from harness.lifecycles.plan import Plan
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.processes.supervision import Supervision
from harness.records import store
from harness.records.provenance import Provenance
from harness.system.errors import PoolstartError

REFERENCE = "2.0.58"
"""The last release of the series 2.0: it will not change, installs with all Pythons in use, and lies between
the series 1.4 and 2.1, so that no ratio to it is far from 1."""

RECORD = store.path("ratios")

STRATEGIES = ("fork_dispose", "forkserver_preload", "spawn", "nullpool")
"""What is paired, without a DataFrame: no release reads it."""

SAME_CODE = {"fork_nodispose": "fork_dispose", "forkserver": "spawn"}
"""Strategies that are not paired, each with one that runs the same code of SQLAlchemy. A release that changes
one changes the other, but not by the same ratio."""

REDUNDANT = frozenset({"peak", "pss", "page_tables"})
"""Figures on record that decide nothing: `peak` equals `rss`, `pss` depends on how many processes there are,
and a release moves `page_tables` by two pages or none."""

SESSION = 20
"""Pairs of parents that are measured in one go, at most: what they share may shift all of their ratios."""

SCREENING, DECIDING = 8, SESSION
"""Pairs of the two stages."""

NEWEST = 6 * SESSION
"""Direct pairs of the newest release and the one before it, for strategies that fork.

Instructions, which find small changes, are counted of spawned workers alone."""

FORKS, BOOTS = 12, 6
"""Workers of a parent. Those that boot an interpreter take twenty times as long, and their instructions are
counted."""

DIGITS = 5

SCATTERED_SINCE = "2026-11-30T03:33"
"""Since when parents of pairs scatter what they import (`harness.scattered`), UTC.

In earlier pairs, where a release's objects lie may shift a ratio of workers that fork by two per cent."""


@dataclass(frozen=True)
class PairedLogs:
    """What pairs of a release with another one have measured, of one strategy."""

    logs: dict[str, list[float]]
    """By metric: the logarithms of ratios to the other one, one a pair of parents."""
    sizes: dict[str, float]
    """By metric: the median of the other one, in seconds or bytes."""


@dataclass(frozen=True)
class RatioRow:
    """A release and a strategy: the logarithms of ratios to the reference, one a pair of parents."""

    release: str
    strategy: str
    screening: dict[str, list[float]]
    """By metric. Of the first stage, which only says what the second one measures."""
    sizes: dict[str, float]
    """The median of each metric in seconds or bytes, of the reference."""
    deciding: dict[str, list[float]] = field(default_factory=dict)
    """Of the second stage, measured afterwards; empty if the first one showed nothing."""
    provenance: Provenance = field(default_factory=Provenance)
    before: str = ""
    """Of direct pairs, which have no first stage: the release before, which takes the reference's place."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.release, self.before, self.strategy, self.provenance.machine

    @property
    def scattered(self) -> bool:
        """Whether its parents scattered what they imported."""
        return self.provenance.date >= SCATTERED_SINCE

    @property
    def decided(self) -> int:
        """How many pairs the second stage has."""
        return max(map(len, self.deciding.values()), default=0)


def load(path: Path = RECORD) -> list[RatioRow]:
    """The rows on record; none without a record. Raises `PoolstartError` for a damaged one."""
    return store.load(list[RatioRow], path, "poolstart record changes") or []


def add(row: RatioRow, path: Path = RECORD) -> list[RatioRow]:
    """Record a row, in place of one of the same release, strategy and machine, and return all rows."""
    kept = [each for each in load(path) if each.key != row.key]
    rows = sorted([*kept, row], key=lambda each: (Version(each.release), *each.key[1:]))
    store.write(path, [asdict(each) for each in rows])
    return rows


def with_logs(
    rows: Iterable[RatioRow],
    release: str,
    strategy: str,
    measured: PairedLogs,
    deciding: bool,
    provenance: Provenance,
    before: str = "",
) -> RatioRow:
    """The row with what a session has measured: a new one, or one on record with a session of the second
    stage added."""
    if not deciding:
        return RatioRow(release, strategy, measured.logs, measured.sizes, provenance=provenance)
    new = RatioRow(release, strategy, {}, {}, {}, provenance, before)
    row = next((each for each in rows if each.key == new.key), new)
    # Of an earlier row only the first stage is kept, which decides nothing.
    known = row.deciding if row.scattered else {}
    added = {name: [*known.get(name, []), *logs] for name, logs in measured.logs.items()}
    return replace(row, deciding=added, sizes={**measured.sizes, **row.sizes}, provenance=provenance)


def paired(
    release: str,
    strategies: Collection[str],
    number: int,
    interpreter: Callable[[str], Path],
    server: Server,
    profile: Profile,
    report: Callable[[str], None],
    *,
    before: str = "",
    seed: int | None = None,
) -> dict[str, PairedLogs]:
    """Pair a release with the reference, or with the release `before` it, `number` times, by strategy.

    Raises `PoolstartError` if a release cannot be measured.
    """
    rng = random.Random(seed)
    cells = [Cell(name, "none") for name in strategies]
    longer = replace(profile, forks=FORKS, boots=BOOTS)

    measured: list[pairs.Pair] = []
    with Supervision() as supervision:
        plans = [
            Plan(cells, server, longer, supervision, release=each, python=interpreter(each), of_pairs=True)
            for each in (before or REFERENCE, release)
        ]
        for plan in plans:
            plan.warm_up()
        for at in range(number):
            step = f"{release}, pair {at + 1} of {number}"
            measured.append(
                pairs.measure_pair(
                    plans,
                    [(cell, cell) for cell in cells if pairs.measurable(plans, (cell, cell))],
                    longer.workers,
                    rng,
                    Progress(report).within(step),
                )
            )
    for plan in plans:
        if plan.measured.rejected:
            raise PoolstartError(next(iter(plan.measured.rejected.values())), "repair what it names")
    return {cell.strategy: logs_of([pair.samples[cell, cell] for pair in measured]) for cell in cells}


def logs_of(samples: Sequence[Mapping[str, pairs.Sample]]) -> PairedLogs:
    """The logarithms of one strategy, from the samples of each pair of parents."""
    by_metric = {
        metric: [each[metric] for each in samples if metric in each]
        for metric in dict.fromkeys(name for each in samples for name in each)
        if metric not in REDUNDANT
    }
    return PairedLogs(
        {name: [round(log(each.ratio), DIGITS) for each in of_pairs] for name, of_pairs in by_metric.items()},
        {
            name: float(f"{median(each.first for each in of_pairs):.4g}")
            for name, of_pairs in by_metric.items()
        },
    )


def versions(rows: Iterable[RatioRow]) -> list[str]:
    """The releases that were paired with the reference, and the reference, in version order."""
    return sorted({REFERENCE, *(row.release for row in rows if not row.before)}, key=Version)


def rows_of(rows: Sequence[RatioRow], release: str, machine: str, before: str = "") -> dict[str, RatioRow]:
    """The rows of a release on a machine, by strategy: of pairs with the reference, or with `before`."""
    place = release, before, machine
    return {row.strategy: row for row in rows if (row.release, row.before, row.provenance.machine) == place}

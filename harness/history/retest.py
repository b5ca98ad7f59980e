"""Candidates measured again: both neighbours of a step, in turns, in one run.

Releases that lie far apart in a history were measured far apart in time; here they are measured one right
after the other. What noise has made look like a step would have to do so twice.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import log
from pathlib import Path

from harness.comparisons import compare as versus
from harness.comparisons.compare import Row, Side
from harness.lifecycles import metrics as registry
from harness.lifecycles.cell import Cell
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.records import store
from harness.system.structure import structure

RECORD = store.path("retests")

SHARE = 0.5
"""Of a step's size: one that is surely smaller than this part of it, or than any step, is refuted."""


@dataclass(frozen=True)
class Between:
    """One figure of two neighbouring releases."""

    previous: str
    release: str
    metric: str
    strategy: str
    dataframe: str


@dataclass(frozen=True)
class Confirmation:
    """What both releases gave when they were measured in turns."""

    previous: str
    release: str
    metric: str
    strategy: str
    dataframe: str
    before: float
    after: float
    """Medians, in seconds or bytes."""
    ratio: float
    low: float
    high: float
    """Its 99 % interval."""
    verdict: str
    """`slower`, `faster`, `same` or `cannot tell`, of all figures of its comparison together."""
    pairs: int
    machine: str
    date: str
    command: str

    @property
    def figure(self) -> Between:
        return Between(self.previous, self.release, self.metric, self.strategy, self.dataframe)

    def of(self, ratio: float) -> str:
        """What this says of a step of that size: `confirmed`, `refuted` or `undecided`."""
        least = log(1 + registry.min_relevant_change(self.metric, self.before))
        asked = max(SHARE * abs(log(ratio)), least)
        if log(self.high) < asked if ratio > 1 else log(self.low) > -asked:
            return "refuted"
        sure = self.verdict in ("slower", "faster") and abs(log(self.ratio)) >= least
        return "confirmed" if sure else "undecided"


def load(path: Path = RECORD) -> list[Confirmation]:
    """What is on record; nothing where there is no record yet."""
    if not path.exists():
        return []
    with store.reading(path, "poolstart steps --confirm") as rows:
        return structure(list[Confirmation], rows)


def save(found: Sequence[Confirmation], path: Path = RECORD) -> None:
    store.write(path, [asdict(one) for one in found])


def add(found: Sequence[Confirmation], path: Path = RECORD) -> None:
    """Keep these, in place of what the same machine said of the same figures before."""
    new = {(one.machine, one.figure) for one in found}
    save([*(one for one in load(path) if (one.machine, one.figure) not in new), *found], path)


def again(
    suspects: Iterable[Between],
    interpreter: Callable[[str], Path],
    server: Server,
    profile: Profile,
    *,
    machine: str,
    command: str,
    pairs: int,
    budget: float,
    report: Callable[[str], None],
    keep: Callable[[list[Confirmation]], None],
) -> int:
    """Measure the neighbours of all suspects, those first between which most figures differ.

    `keep` is told of each comparison as soon as it is done; none begins when `budget` seconds are over.
    Returns how many are left.
    """
    began = time.monotonic()
    pairings: dict[tuple[str, str], list[Between]] = {}
    for suspect in suspects:
        pairings.setdefault((suspect.previous, suspect.release), []).append(suspect)
    in_order = sorted(pairings.items(), key=lambda pairing: -len(pairing[1]))
    for number, ((previous, release), some) in enumerate(in_order, 1):
        if time.monotonic() - began > budget:
            return len(in_order) - number + 1
        what = f"{previous} and {release}, {number} of {len(in_order)}"
        strategies = tuple(dict.fromkeys(one.strategy for one in some))
        dataframes = tuple(dict.fromkeys(one.dataframe for one in some))
        metrics = tuple(dict.fromkeys(one.metric for one in some))
        timed = any(registry.get(metric).unit == "seconds" for metric in metrics)
        found = versus.compare(
            Side(previous, previous, interpreter(previous), strategies),
            Side(release, release, interpreter(release), strategies),
            server,
            profile,
            dataframes=dataframes,
            pairs=pairs,
            # Memory is the same with every worker, to a thousandth.
            times=versus.TIMES if timed else 1,
            budget=0,
            metrics=metrics,
            only={Cell(one.strategy, one.dataframe) for one in some},
            report=lambda told, what=what: report(f"{what}: {told}"),  # type: ignore[misc]
        )
        date = datetime.now(UTC).isoformat(timespec="seconds")
        asked = set(some)
        told = [confirmation(row, previous, release, machine, date, command) for row in found.rows]
        keep([one for one in told if one.figure in asked])
    return 0


def confirmation(
    row: Row, previous: str, release: str, machine: str, date: str, command: str
) -> Confirmation:
    def rounded(value: float) -> float:
        return float(f"{value:.5g}")

    return Confirmation(
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
        machine=machine,
        date=date,
        command=command,
    )

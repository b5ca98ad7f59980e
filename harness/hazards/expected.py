"""The recorded verdicts: what was measured, on what, and so what is expected of a release.

One table for each series of SQLAlchemy (1.4, 2.0, ...), in `records/hazards.json`; in it, where they were
measured, a table of the further strategies, with a setting of its own. The page `docs/hazards.md` is made
from it and from the hazards themselves.
"""

import datetime
import os
import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata

import psycopg2
import sqlalchemy

from harness import strategies
from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.inside.story import Reading
from harness.postgres.server import Server
from harness.records import store
from harness.system.errors import PoolstartError
from harness.system.structure import structure

PATH = store.path("hazards")

COMMAND = "poolstart hazards --record"

COMMAND_FURTHER = "poolstart hazards --strategy further --record"

FRAMES = ("pandas", "pyarrow")


def installed(package: str) -> str:
    """The version of a package; empty without it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def series(release: str) -> str:
    """`2.0` of `2.0.36`."""
    return ".".join(release.split(".")[:2])


@dataclass(frozen=True)
class Setting:
    """Everything a table was measured with."""

    release: str
    date: str
    machine: str
    python: str
    driver: str
    frames: str
    """The libraries of the DataFrames."""
    server: str

    @classmethod
    def here(cls, server: Server) -> "Setting":
        return cls(
            release=sqlalchemy.__version__,
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            machine=f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores",
            python=platform.python_version(),
            driver=f"psycopg2 {psycopg2.__version__.split()[0]}",
            frames=", ".join(f"{name} {version}" for name in FRAMES if (version := installed(name))),
            server=server.identity,
        )

    def __str__(self) -> str:
        return (
            f"{self.date} with SQLAlchemy {self.release}, {self.driver}, {self.frames}, Python {self.python},"
            f" server {self.server} on {self.machine}"
        )


@dataclass(frozen=True)
class Repeated:
    """Verdicts that came out the same many times."""

    setting: Setting
    trials: int
    """Of each verdict."""
    busy: int
    """Cores that were kept busy by something else."""
    rates: dict[str, dict[str, Reading]]
    """The fractions of all trials together, by figure and strategy."""
    cells: dict[str, list[str]]
    """Which verdicts: of each hazard the strategies."""

    def of(self, hazard: str, strategy: str) -> bool:
        return strategy in self.cells.get(hazard, ())

    @property
    def command(self) -> str:
        names = {name for some in self.cells.values() for name in some}
        which = " --strategy further" if names and names <= set(strategies.FURTHER_IDS) else ""
        return f"poolstart hazards{which} --repeat {self.trials}{' --load' if self.busy else ''} --record"


@dataclass(frozen=True)
class Recorded:
    """One measured table."""

    setting: Setting
    outcomes: tuple[Outcome, ...]
    repeated: Repeated | None = None
    further: "Recorded | None" = None
    """The table of the further strategies, in the table of the default ones."""

    @property
    def verdicts(self) -> dict[tuple[str, str], Verdict]:
        return {(outcome.hazard, outcome.strategy): outcome.verdict for outcome in self.outcomes}

    @property
    def strategies(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(outcome.strategy for outcome in self.outcomes))

    def outcome(self, hazard: str, strategy: str) -> Outcome | None:
        for outcome in self.outcomes:
            if (outcome.hazard, outcome.strategy) == (hazard, strategy):
                return outcome
        return None


def load() -> dict[str, Recorded]:
    """The recorded tables by series, the newest series first."""
    if not PATH.exists():
        return {}
    with store.reading(PATH, COMMAND) as tables:
        return structure(dict[str, Recorded], tables)


def cells(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """By hazard its strategies, each once."""
    found: dict[str, list[str]] = {}
    for hazard, strategy in dict.fromkeys(pairs):
        found.setdefault(hazard, []).append(strategy)
    return found


def whole(names: Sequence[str]) -> bool:
    """Whether these strategies make a table: the default ones, the further ones, or both."""
    return set(names) in [set(group) for group in strategies.GROUPS.values()]


def is_further(outcome: Outcome) -> bool:
    return outcome.strategy in strategies.FURTHER_IDS


def save(setting: Setting, outcomes: Sequence[Outcome]) -> None:
    """Put a table in the place of its series, and one of further strategies into it.

    That a verdict came out the same many times holds if it still does.
    """
    for outcome in outcomes:
        if outcome.verdict is Verdict.NO_RESULT:
            raise PoolstartError(outcome.reason, "a table without a hole is recorded, this one is not")
    further = tuple(filter(is_further, outcomes))
    default = tuple(outcome for outcome in outcomes if not is_further(outcome))
    before = load().get(series(setting.release))
    if default:
        recorded = renewed(before, Recorded(setting, default, further=before.further if before else None))
    else:
        recorded = of(setting.release)
    if further:
        recorded = replace(recorded, further=renewed(recorded.further, Recorded(setting, further)))
    write(recorded)


def renewed(before: Recorded | None, now: Recorded) -> Recorded:
    if not before or not before.repeated:
        return now
    kept = [
        cell
        for cell, verdict in now.verdicts.items()
        if before.repeated.of(*cell) and before.verdicts.get(cell) is verdict is not Verdict.NOT_APPLICABLE
    ]
    return replace(now, repeated=replace(before.repeated, cells=cells(kept)) if kept else None)


def of(release: str = sqlalchemy.__version__) -> Recorded:
    """The table of a release's series."""
    table = load().get(series(release))
    if not table:
        raise PoolstartError(f"no table of SQLAlchemy {series(release)} is recorded", f"first run: {COMMAND}")
    return table


def save_repeated(setting: Setting, outcomes: Sequence[Outcome], trials: int, busy: int) -> None:
    """Record that verdicts of a series came out the same `trials` times; refused unless they did."""
    table, wanted = of(setting.release), expected(setting.release)
    for outcome in outcomes:
        if outcome.verdict is not wanted.get((outcome.hazard, outcome.strategy)):
            raise PoolstartError(
                f"{outcome.hazard} under {outcome.strategy} was once {outcome.verdict}",
                "trials that disagree, or that could not be, prove nothing, and nothing is recorded",
            )
    further = list(filter(is_further, outcomes))
    default = [outcome for outcome in outcomes if not is_further(outcome)]
    if further and table.further:
        table = replace(table, further=proven(table.further, setting, further, trials, busy))
    if default:
        table = proven(table, setting, default, trials, busy)
    write(table)


def proven(
    table: Recorded, setting: Setting, outcomes: Sequence[Outcome], trials: int, busy: int
) -> Recorded:
    """The table with the proof of these outcomes, beside what was proven in the same way before."""
    now = Repeated(
        setting,
        trials,
        busy,
        pooled_rates(outcomes),
        # What is not applicable is declared, not tried.
        cells((one.hazard, one.strategy) for one in outcomes if one.verdict is not Verdict.NOT_APPLICABLE),
    )
    before = table.repeated
    if before and (before.trials, before.busy) == (trials, busy):
        rates = {
            figure: {**before.rates.get(figure, {}), **now.rates.get(figure, {})}
            for figure in {**before.rates, **now.rates}
        }
        both = [
            (hazard, strategy)
            for some in (before.cells, now.cells)
            for hazard, names in some.items()
            for strategy in names
        ]
        now = replace(now, rates=rates, cells=cells(both))
    return replace(table, repeated=now)


def pooled_rates(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Reading]]:
    """Every fraction over all its trials."""
    hits: Counter[tuple[str, str]] = Counter()
    trials: Counter[tuple[str, str]] = Counter()
    for outcome in outcomes:
        for figure, reading in outcome.readings.items():
            if reading.trials is not None:
                hits[figure, outcome.strategy] += round(reading.value * reading.trials)
                trials[figure, outcome.strategy] += reading.trials
    pooled: dict[str, dict[str, Reading]] = {}
    for (figure, strategy), total in trials.items():
        pooled.setdefault(figure, {})[strategy] = Reading(hits[figure, strategy] / total, total)
    return pooled


def write(recorded: Recorded) -> None:
    tables = {**load(), series(recorded.setting.release): recorded}
    newest_first = sorted(tables, key=lambda name: [int(part) for part in name.split(".")], reverse=True)
    store.write(PATH, {name: asdict(tables[name]) for name in newest_first})


def expected(release: str = sqlalchemy.__version__) -> dict[tuple[str, str], Verdict]:
    """The verdict each hazard and strategy must have under a release; nothing for an unknown series."""
    table = load().get(series(release))
    if not table:
        return {}
    return {**table.verdicts, **(table.further.verdicts if table.further else {})}

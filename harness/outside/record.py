"""The recorded verdicts: what was measured, on what, and so what is expected of a release.

One table for each series of SQLAlchemy (1.4, 2.0, ...), in `docs/hazards.json`. The
page `docs/hazards.md` is made from it and from the hazards themselves.
"""

import datetime
import json
import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from typing import Any

import psycopg2
import sqlalchemy

from harness.hazards.hazard import Outcome, Verdict
from harness.inside.trial.story import Reading
from harness.postgres.server import Server
from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

PATH = ROOT / "docs" / "hazards.json"

COMMAND = "poolstart hazards --record"

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
    """A table that came out the same many times."""

    setting: Setting
    trials: int
    """Of each verdict."""
    busy: int
    """Cores that were kept busy by something else."""
    rates: dict[str, dict[str, Reading]]
    """The fractions of all trials together, by figure and strategy."""

    @property
    def command(self) -> str:
        return f"poolstart hazards --repeat {self.trials}{' --load' if self.busy else ''} --record"


@dataclass(frozen=True)
class Recorded:
    """One measured table."""

    setting: Setting
    outcomes: tuple[Outcome, ...]
    repeated: Repeated | None = None

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
    with files.understood(PATH, f"restore it with git, or make it with `{COMMAND}`"):
        tables: dict[str, Any] = json.loads(PATH.read_text())
        return {
            name: Recorded(
                Setting(**fields["setting"]),
                tuple(map(Outcome.from_json, fields["outcomes"])),
                repeated_from_json(fields["repeated"]),
            )
            for name, fields in tables.items()
        }


def repeated_from_json(fields: dict[str, Any] | None) -> Repeated | None:
    if fields is None:
        return None
    rates = {
        figure: {strategy: Reading(**reading) for strategy, reading in readings.items()}
        for figure, readings in fields["rates"].items()
    }
    return Repeated(**{**fields, "setting": Setting(**fields["setting"]), "rates": rates})


def save(setting: Setting, outcomes: Sequence[Outcome]) -> None:
    """Put a table in the place of its series. That it came out the same many times holds if it still does."""
    for outcome in outcomes:
        if outcome.verdict is Verdict.NO_RESULT:
            raise PoolstartError(outcome.reason, "a table without a hole is recorded, this one is not")
    before = load().get(series(setting.release))
    recorded = Recorded(setting, tuple(outcomes))
    if before and before.verdicts == recorded.verdicts:
        recorded = replace(recorded, repeated=before.repeated)
    write(recorded)


def of(release: str = sqlalchemy.__version__) -> Recorded:
    """The table of a release's series."""
    table = load().get(series(release))
    if not table:
        raise PoolstartError(f"no table of SQLAlchemy {series(release)} is recorded", f"first run: {COMMAND}")
    return table


def save_repeated(setting: Setting, outcomes: Sequence[Outcome], trials: int, busy: int) -> None:
    """Record that the table of a series came out the same `trials` times; refused unless it did."""
    table = of(setting.release)
    for outcome in outcomes:
        if outcome.verdict is not table.verdicts.get((outcome.hazard, outcome.strategy)):
            raise PoolstartError(
                f"{outcome.hazard} under {outcome.strategy} was once {outcome.verdict}",
                "trials that disagree, or that could not be, prove nothing, and nothing is recorded",
            )
    write(replace(table, repeated=Repeated(setting, trials, busy, pooled_rates(outcomes))))


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
    content = {name: asdict(tables[name]) for name in newest_first}
    files.write(PATH, json.dumps(content, indent=1) + "\n")


def expected(release: str = sqlalchemy.__version__) -> dict[tuple[str, str], Verdict]:
    """The verdict each hazard and strategy must have under a release; nothing for an unknown series."""
    table = load().get(series(release))
    return table.verdicts if table else {}

"""The model of the recorded verdicts: a table of outcomes, and what it was measured with."""

import datetime
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata

import psycopg2
import sqlalchemy

from harness import strategies
from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.inside.story import HazardReading
from harness.postgres.server import Server

FRAMES = ("pandas", "pyarrow")
"""The libraries of DataFrames whose versions are recorded."""


def installed(package: str) -> str:
    """The installed version of a package; empty if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


@dataclass(frozen=True)
class Setting:
    """The versions and the machine that something was measured with."""

    release: str
    """Of SQLAlchemy."""
    date: str
    machine: str
    python: str
    driver: str
    frames: str
    """The libraries of DataFrames, with their versions."""
    server: str
    """The identity of the PostgreSQL server."""

    @classmethod
    def here(cls, server: Server) -> "Setting":
        """The setting of this process, today."""
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
class RepeatedTrials:
    """Verdicts that came out the same in every one of many trials."""

    setting: Setting
    trials: int
    """Of each verdict."""
    busy: int
    """Cores that were kept busy by other processes."""
    rates: dict[str, dict[str, HazardReading]]
    """Readings that are fractions, pooled over all trials, by figure and strategy."""
    cells: dict[str, list[str]]
    """The verdicts: strategies by hazard."""
    later: dict[str, Setting] = field(default_factory=dict)
    """The settings of hazards that were repeated after the others, by hazard."""

    def covers(self, hazard: str, strategy: str) -> bool:
        """Whether this verdict was repeated."""
        return strategy in self.cells.get(hazard, ())

    @property
    def command(self) -> str:
        """The command that measured them."""
        names = {name for names in self.cells.values() for name in names}
        which = " --strategy further" if names and names <= set(strategies.FURTHER_IDS) else ""
        return f"poolstart hazards{which} --repeat {self.trials}{' --load' if self.busy else ''} --record"


@dataclass(frozen=True)
class VerdictTable:
    """The outcomes of all hazards under one group of strategies, with one release of SQLAlchemy."""

    setting: Setting
    outcomes: tuple[Outcome, ...]
    repeated: RepeatedTrials | None = None
    further: "VerdictTable | None" = None
    """In the table of the default strategies, the table of the further ones."""
    later: dict[str, Setting] = field(default_factory=dict)
    """The settings of rows that were measured after the rest of the table, by hazard."""

    @property
    def verdicts(self) -> dict[tuple[str, str], Verdict]:
        """The verdicts by hazard and strategy."""
        return {(outcome.hazard, outcome.strategy): outcome.verdict for outcome in self.outcomes}

    @property
    def strategies(self) -> tuple[str, ...]:
        """The strategies of the table, in its order."""
        return tuple(dict.fromkeys(outcome.strategy for outcome in self.outcomes))

    def outcome(self, hazard: str, strategy: str) -> Outcome | None:
        """One outcome; None if the table does not have it."""
        for outcome in self.outcomes:
            if (outcome.hazard, outcome.strategy) == (hazard, strategy):
                return outcome
        return None


def by_hazard(cells: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Pairs of hazard and strategy as strategies by hazard, each once."""
    names: dict[str, list[str]] = {}
    for hazard, strategy in dict.fromkeys(cells):
        names.setdefault(hazard, []).append(strategy)
    return names

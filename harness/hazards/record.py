"""The recorded verdicts: what was measured, on what, and so what is expected of a release.

One table for each series of SQLAlchemy (1.4, 2.0, ...), in `measured.json` beside this module. The
page `docs/hazards.md` is made from it and from the hazards themselves.
"""

import datetime
import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psycopg2
import sqlalchemy

from harness.hazards.hazard import Outcome, Verdict
from harness.postgres.server import Server

PATH = Path(__file__).with_name("measured.json")

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
class Recorded:
    """One measured table, and everything it was measured with."""

    release: str
    date: str
    machine: str
    python: str
    driver: str
    frames: str
    """The libraries of the DataFrames."""
    server: str
    outcomes: tuple[Outcome, ...]

    @classmethod
    def now(cls, server: Server, outcomes: list[Outcome]) -> "Recorded":
        return cls(
            release=sqlalchemy.__version__,
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            machine=f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores",
            python=platform.python_version(),
            driver=f"psycopg2 {psycopg2.__version__.split()[0]}",
            frames=", ".join(f"{name} {version}" for name in FRAMES if (version := installed(name))),
            server=server.identity,
            outcomes=tuple(outcomes),
        )

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
    tables: dict[str, Any] = json.loads(PATH.read_text())
    return {
        name: Recorded(**{**fields, "outcomes": tuple(map(Outcome.from_json, fields["outcomes"]))})
        for name, fields in tables.items()
    }


def save(recorded: Recorded) -> None:
    """Put a table in the place of its series."""
    tables = {**load(), series(recorded.release): recorded}
    newest_first = sorted(tables, key=lambda name: [int(part) for part in name.split(".")], reverse=True)
    content = {name: asdict(tables[name]) for name in newest_first}
    PATH.write_text(json.dumps(content, indent=1) + "\n")


def expected(release: str = sqlalchemy.__version__) -> dict[tuple[str, str], Verdict]:
    """The verdict each hazard and strategy must have under a release; nothing for an unknown series."""
    table = load().get(series(release))
    return (
        {(outcome.hazard, outcome.strategy): outcome.verdict for outcome in table.outcomes} if table else {}
    )

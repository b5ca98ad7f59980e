"""Where, when, with what and by which command a record or a row of it was measured."""

import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from harness.system import conditions, pythons

FRAMES = ("pandas", "pyarrow")
"""The libraries of the DataFrames."""

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Provenance:
    """An empty field is unknown: an older record did not store it."""

    release: str = ""
    """Of SQLAlchemy."""
    date: str = ""
    """ISO format, of the day or the second."""
    machine: str = ""
    python: str = ""
    driver: str = ""
    frames: str = ""
    """The libraries of the DataFrames, and what else was used."""
    server: str = ""
    """The server's identity (`harness.postgres.server`)."""
    command: str = ""

    @classmethod
    def here(
        cls,
        server: str,
        command: str = "",
        release: str = "",
        python: str = "",
        driver: str = "",
    ) -> "Provenance":
        """What is measured now on this machine; by default with this interpreter, release and psycopg2."""
        return cls(
            release=release or metadata.version("sqlalchemy"),
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=", ".join(
                filter(
                    None,
                    (
                        f"{platform.system()} {platform.release()}",
                        platform.machine(),
                        f"{os.cpu_count()} cores",
                        conditions.cpu(),
                    ),
                )
            ),
            python=python or pythons.full(),
            driver=driver or f"psycopg2 {metadata.version('psycopg2-binary')}",
            frames=", ".join(f"{name} {version}" for name in FRAMES if (version := installed(name))),
            server=server,
            command=command,
        )

    def conditions(self, **others: str) -> dict[str, str]:
        """What all parts of a recording session have in common besides `others`."""
        names = ("release", "driver", "python", "server", "machine")
        return {**others, **{name: str(getattr(self, name)) for name in names}}

    @property
    def cores(self) -> int:
        """Processors of the machine; 1 if unknown."""
        found = re.search(r"(\d+) cores", self.machine)
        return int(found[1]) if found else 1

    @property
    def day(self) -> str:
        """The date without the time of day, or `unknown`."""
        return self.date[:10] or UNKNOWN

    @property
    def by(self) -> str:
        """For a sentence: `, by` and the command; empty if the command is unknown."""
        return f", by `{self.command}`" if self.command else ""

    def __str__(self) -> str:
        frames = f"{self.frames}, " if self.frames else ""
        return (
            f"{self.date[:10] or 'on an unknown date'} with SQLAlchemy {self.release or UNKNOWN},"
            f" {self.driver or 'an unknown driver'}, {frames}Python {self.python or UNKNOWN},"
            f" server {self.server or UNKNOWN} on {self.machine or 'an unknown machine'}"
        )


def measured_later(later: Mapping[str, Provenance]) -> str:
    """A sentence for the rows of a table that were not measured with the others, by name.

    Rows share one if nothing but the time of day differs, and in the commands the names of such rows.
    """
    rows: dict[str, list[str]] = {}
    for name, provenance in later.items():
        command = re.sub(
            r"--only (\S+)",
            lambda only: "--only NAME" if only[1] in later else only[0],
            provenance.command,
        )
        command = re.sub(r"--only NAME(?: --only NAME)+", "--only NAME", command)
        shown = provenance.command if len(later) == 1 else command
        rows.setdefault(f"{provenance}{replace(provenance, command=shown).by}", []).append(f"`{name}`")
    return "".join(
        f" {', '.join(names)} {'were' if len(names) > 1 else 'was'} measured separately: {measured}."
        for measured, names in rows.items()
    )


def installed(package: str) -> str:
    """The version of a package; empty without it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def days(provenances: Iterable[Provenance]) -> str:
    """The first and the last day of several, as `2026-11-25 to 2026-11-28`."""
    known = sorted({provenance.day for provenance in provenances if provenance.date})
    return " to ".join(dict.fromkeys((known[0], known[-1]))) if known else UNKNOWN


FIELDS = frozenset(field.name for field in fields(Provenance))


def without_unknown(content: Any) -> Any:
    """JSON content whose provenances, as `dataclasses.asdict` made them, lack the fields that are unknown."""
    if isinstance(content, list | tuple):
        return [without_unknown(element) for element in content]
    if not isinstance(content, dict):
        return content
    if content.keys() == FIELDS:
        return {name: value for name, value in content.items() if value}
    return {name: without_unknown(value) for name, value in content.items()}


def provenances(content: Any) -> Iterator[Provenance]:
    """All provenances in the JSON content of a record, at any depth."""
    if isinstance(content, list):
        for element in content:
            yield from provenances(element)
    elif isinstance(content, dict):
        if content and content.keys() <= FIELDS:
            yield Provenance(**content)
        else:
            for value in content.values():
                yield from provenances(value)

"""The record of the doctor: how often it came to which findings about each program of the tests."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from harness.doctor import detected
from harness.doctor.proof import frameworks
from harness.doctor.proof.programs import HEALTHY
from harness.records import store
from harness.records.provenance import Provenance

PATH = store.path("doctor")

SURE = ("certain", "proven")


@dataclass(frozen=True)
class Expected:
    """What is to be found of a program; nothing if there are no certainties."""

    hazard: str = ""
    certainties: tuple[str, ...] = ()


@dataclass(frozen=True)
class LookFigures:
    """What many looks at one program in one way came to."""

    expected: Expected
    runs: int = 0
    as_expected: int = 0
    accused: int = 0
    """Runs in which something was certain or proven, although nothing was to be found."""
    findings: dict[str, int] = field(default_factory=dict)
    """Runs with each finding, such as `shared_socket proven`."""

    def plus(self, found: Sequence[Sequence[str]]) -> "LookFigures":
        """With a further run, of which these are the hazards and certainties."""
        expected = self.expected
        if expected.certainties in ((), ("risk",)):
            right = all(certainty in expected.certainties for _, certainty in found)
            right &= not expected.hazard or any(hazard == expected.hazard for hazard, _ in found)
        else:
            right = any(h == expected.hazard and certainty in expected.certainties for h, certainty in found)
        wrong = not expected.hazard and any(certainty in SURE for _, certainty in found)
        names = {" ".join(finding) for finding in found}
        return replace(
            self,
            runs=self.runs + 1,
            as_expected=self.as_expected + right,
            accused=self.accused + wrong,
            findings=dict(sorted((Counter(self.findings) + Counter(names)).items())),
        )


@dataclass(frozen=True)
class VictimFigures:
    """One program, as it is wrong, fixed, or healthy."""

    victim: str
    variant: str
    """`broken`, `fixed`, or the name of a program that does nothing wrong."""
    hazard: str
    """That it has; empty if it is healthy."""
    outside: LookFigures | None
    """At a PID; None if it is not looked at."""
    command: LookFigures | None
    """As a command that the doctor runs."""

    @property
    def name(self) -> str:
        return self.variant if self.victim == "healthy" else self.victim

    @property
    def right(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.variant != "broken" or not self.hazard

    @property
    def ways(self) -> list[LookFigures]:
        return [way for way in (self.outside, self.command) if way]

    @property
    def runs(self) -> int:
        return max(way.runs for way in self.ways)


@dataclass(frozen=True)
class DoctorRecord:
    provenance: Provenance
    busy: int
    """Processors that were kept busy."""
    rows: tuple[VictimFigures, ...]
    later: dict[str, Provenance] = field(default_factory=dict)
    """Of the programs that were recorded by themselves."""


def programs() -> list[VictimFigures]:
    """All programs, without figures, in the order of the table."""
    rows = []
    for hazard, row in detected.rows().items():
        for name in row.victims:
            outside = Expected(row.outside_as or hazard if row.outside else "", row.outside)
            command = Expected(row.command_as or hazard if row.command else "", row.command)
            risk = Expected("", ("risk",) if row.fixed_is_risk else ())
            broken = _program(name, "broken", hazard, outside, command)
            rows += [
                # The broken program is not looked at from outside where that cannot find its problem.
                broken if row.outside else replace(broken, outside=None),
                _program(name, "fixed", hazard, Expected(), risk),
            ]
    for name, hazard in frameworks.FOUND.items():
        command = Expected(hazard, SURE if hazard else ())
        found = frameworks.found_outside(name)
        # That a worker has ended its parent's session may be seen as parent_closed.
        outside = Expected(found, SURE if found else ("risk",) if hazard == "asyncpg_loop" else ())
        rows.append(_program(name, "broken", hazard, outside, command))
        if hazard:
            rows.append(_program(name, "fixed", hazard, Expected(), Expected()))
    rows += [_program("healthy", name, "", Expected(), Expected()) for name in HEALTHY]
    return rows


def _program(name: str, variant: str, hazard: str, outside: Expected, command: Expected) -> VictimFigures:
    return VictimFigures(name, variant, hazard, LookFigures(outside), LookFigures(command))


def names() -> list[str]:
    """Of the programs, as `--only` accepts them."""
    return list(dict.fromkeys(row.name for row in programs()))


def add(row: VictimFigures, parts: Iterable[dict[str, Any]]) -> VictimFigures:
    """A row with runs: of each way, what was found, or None if it was not looked at."""
    for part in parts:
        if row.outside and part["outside"] is not None:
            row = replace(row, outside=row.outside.plus(part["outside"]))
        if row.command and part["command"] is not None:
            row = replace(row, command=row.command.plus(part["command"]))
    return row


def merge(record: DoctorRecord | None, measured: DoctorRecord) -> DoctorRecord:
    """The record with the measured programs in place of its own, with their provenance."""
    done = {row.name for row in measured.rows}
    known = names()
    kept = [row for row in record.rows if row.name in known and row.name not in done] if record else []
    if not record or not kept:
        return measured
    rows = sorted([*kept, *measured.rows], key=lambda row: known.index(row.name))
    later = {name: each for name, each in record.later.items() if name in {row.name for row in kept}}
    return replace(record, rows=tuple(rows), later=later | dict.fromkeys(sorted(done), measured.provenance))


def load() -> DoctorRecord | None:
    """The record; None if there is none. Raises PoolstartError if it is damaged."""
    return store.load(DoctorRecord, PATH, "poolstart record doctor --load")


def save(record: DoctorRecord) -> None:
    store.write(PATH, json.loads(json.dumps(asdict(record))))

"""What can happen to each strategy: the recorded verdicts, by release where every release was tried."""

from dataclasses import dataclass

from packaging.version import Version

from harness import strategies
from harness.hazards import bisect as sitting
from harness.hazards import catalogue
from harness.hazards import expected as record
from harness.hazards.hazard import Hazard, Outcome, Severity, Verdict
from harness.system.errors import PoolstartError

WORST_FIRST = tuple(Severity)


@dataclass(frozen=True)
class Worst:
    """The worst that a strategy was struck by, and by how many hazards in all."""

    severity: Severity
    hazards: tuple[Hazard, ...]
    """Those of that severity."""
    struck: int
    applicable: int


@dataclass(frozen=True)
class Span:
    """A verdict, and the releases it holds for."""

    verdict: str
    first: str
    last: str
    newest: bool
    """Whether it is the verdict of the newest release that was tried."""


class Outcomes:
    """The recorded verdicts; empty where nothing is on record."""

    def __init__(self) -> None:
        self.hazards = catalogue.load_all()
        self.remarks: list[str] = []
        self.tables: dict[str, record.Recorded] = {}
        self.sitting: sitting.ReleaseVerdicts | None = None
        try:
            self.tables = record.load()
        except (ValueError, KeyError, TypeError, AttributeError):
            self.remarks.append("records/hazards.json cannot be read: no verdict is shown")
        try:
            self.sitting = sitting.load(sitting.RECORD)
        except PoolstartError as error:
            self.remarks.append(error.args[0])

    @property
    def newest(self) -> record.Recorded | None:
        """The newest table, with the stories."""
        return next(iter(self.tables.values()), None)

    @property
    def releases(self) -> tuple[str, ...]:
        """The releases that were tried, in version order."""
        tried = {table.setting.release for table in self.tables.values()}
        return tuple(sorted(tried | set(self.sitting.releases if self.sitting else ()), key=Version))

    def verdict(self, hazard: str, strategy: str, release: str) -> str:
        """Of a release, or of its series where not each release was tried; empty where it is not known."""
        if self.sitting and (told := self.sitting.of(hazard, strategy, release)):
            return told
        table = self.tables.get(record.series(release))
        found = table.verdicts.get((hazard, strategy)) if table else None
        return str(found) if found else ""

    def spans(self, hazard: str, strategy: str) -> list[Span]:
        """The verdicts over the releases, the newest first; neighbours that agree are one."""
        found: list[list[str]] = []
        for release in self.releases:
            told = self.verdict(hazard, strategy, release)
            if not told:
                continue
            if found and found[-1][0] == told:
                found[-1][2] = release
            else:
                found.append([told, release, release])
        return [
            Span(told, first, last, number == 0) for number, (told, first, last) in enumerate(reversed(found))
        ]

    def outcome(self, hazard: str, strategy: str) -> Outcome | None:
        return self.newest.outcome(hazard, strategy) if self.newest else None

    def worst(self, strategy: str, release: str) -> Worst | None:
        """None where no verdict on the strategy is on record."""
        told = [(hazard, self.verdict(hazard.id, strategy, release)) for hazard in self.hazards]
        applicable = [hazard for hazard, verdict in told if verdict in (Verdict.AFFECTED, Verdict.SURVIVES)]
        struck = [hazard for hazard, verdict in told if verdict == Verdict.AFFECTED]
        if not struck:
            return None
        severity = min((hazard.severity for hazard in struck), key=WORST_FIRST.index)
        same = tuple(hazard for hazard in struck if hazard.severity is severity)
        return Worst(severity, same, len(struck), len(applicable))

    def struck_by(self, strategy: str, release: str) -> list[Hazard]:
        """The worst first."""
        struck = [
            hazard
            for hazard in self.hazards
            if self.verdict(hazard.id, strategy, release) == Verdict.AFFECTED
        ]
        return sorted(struck, key=lambda hazard: WORST_FIRST.index(hazard.severity))


def shares(strategy: str) -> bool:
    """Whether two processes talk over one connection, in its ordinary use: no winner, whatever it costs."""
    return any(each.id == strategy and not each.safe for each in strategies.CATALOGUE)

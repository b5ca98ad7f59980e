"""Which hazards affect which strategy, in which release: the one place that decides which verdicts count.

A hazard counts for a strategy if a trial of it ended: the strategy was affected, or survived. "n/a" never
counts (the strategy does not have what the hazard needs), nor does "not tried here" (the machine lacked a
library). Where the release's own trials (`poolstart record verdicts`) say neither, the table of its series
(`poolstart record hazards`) decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.version import Version

from harness import strategies
from harness.hazards import bisect, catalogue, expected
from harness.hazards.expected import series
from harness.hazards.hazard import TRIED, Hazard, Outcome, Severity, Verdict
from harness.hazards.table import VerdictTable

SEVERITIES = tuple(Severity)
"""The worst first."""


@dataclass(frozen=True)
class WorstOutcome:
    """The worst that was provoked under a strategy."""

    severity: Severity | None
    """None if no hazard affected it."""
    hazards: tuple[Hazard, ...]
    """Those of that severity."""
    affecting: int
    """How many hazards affected it."""
    counted: int
    """How many hazards count for it; 0 if none was tried."""

    def __str__(self) -> str:
        if not self.counted:
            return "not recorded"
        return str(self.severity) if self.severity else "nothing"

    @property
    def count(self) -> str:
        """`12 of 27`."""
        return f"{self.affecting} of {self.counted}" if self.counted else "not recorded"

    @property
    def sentence(self) -> str:
        """The worst, by which hazards, and how many affect the strategy at all."""
        names = f": {', '.join(hazard.id for hazard in self.hazards)}" if self.hazards else ""
        return f"{self}{names}" + (f"; {self.count} hazards affect it" if self.counted else "")


@dataclass(frozen=True)
class VerdictSpan:
    """A verdict, and the releases it holds for."""

    verdict: str
    first: str
    last: str
    newest: bool
    """Whether it is the verdict of the newest release on record."""

    @property
    def releases(self) -> str:
        return f"in {self.first}" if self.first == self.last else f"from {self.first} to {self.last}"


class VerdictsOnRecord:
    """The recorded verdicts; empty if nothing is on record."""

    def __init__(
        self,
        tables: Mapping[str, VerdictTable] | None = None,
        by_release: bisect.ReleaseVerdicts | None = None,
    ) -> None:
        """`tables` are by series of releases, the newest first."""
        self.tables = dict(tables or {})
        self.by_release = by_release
        self.hazards = catalogue.load_all()
        tried = {table.provenance.release for table in self.tables.values()}
        tried |= set(by_release.releases if by_release else ())
        self.releases = tuple(sorted(tried, key=Version))
        """The releases that were tried, in version order."""
        self._of_series = {name: verdicts_of(table) for name, table in self.tables.items()}

    @property
    def newest(self) -> VerdictTable | None:
        """The table of the newest series, with the recorded events of each trial."""
        return next(iter(self.tables.values()), None)

    @property
    def newest_release(self) -> str:
        """The newest release with a table; empty if there is none."""
        return self.newest.provenance.release if self.newest else ""

    def verdict(self, hazard: str, strategy: str, release: str) -> str:
        """The verdict of a release, or of its series; empty if there is none."""
        own = self.by_release.of(hazard, strategy, release) if self.by_release else ""
        if own in TRIED:
            return own
        return self._of_series.get(series(release), {}).get((hazard, strategy), own)

    def spans(self, hazard: str, strategy: str) -> list[VerdictSpan]:
        """The verdicts over the releases, the newest first; equal verdicts of neighbours are one span."""
        spans: list[list[str]] = []
        for release in self.releases:
            verdict = self.verdict(hazard, strategy, release)
            if not verdict:
                continue
            if spans and spans[-1][0] == verdict:
                spans[-1][2] = release
            else:
                spans.append([verdict, release, release])
        return [
            VerdictSpan(verdict, first, last, number == 0)
            for number, (verdict, first, last) in enumerate(reversed(spans))
        ]

    def trial(self, hazard: str, strategy: str) -> Outcome | None:
        """The recorded trial of the newest table."""
        return self.newest.outcome(hazard, strategy) if self.newest else None

    def affecting(self, strategy: str, release: str) -> list[Hazard]:
        """The hazards that affect a strategy, the worst first."""
        affecting = [
            hazard
            for hazard in self.hazards
            if self.verdict(hazard.id, strategy, release) == Verdict.AFFECTED
        ]
        return sorted(affecting, key=lambda hazard: SEVERITIES.index(hazard.severity))

    def worst(self, strategy: str, release: str) -> WorstOutcome:
        """The worst that was provoked under a strategy in a release."""
        affecting = self.affecting(strategy, release)
        counted = sum(self.verdict(hazard.id, strategy, release) in TRIED for hazard in self.hazards)
        severity = affecting[0].severity if affecting else None
        same = tuple(hazard for hazard in affecting if hazard.severity is severity)
        return WorstOutcome(severity, same, len(affecting), counted)


def verdicts_of(table: VerdictTable) -> dict[tuple[str, str], str]:
    """The verdicts of a table by hazard and strategy, those of the further strategies included."""
    further = verdicts_of(table.further) if table.further else {}
    return {**further, **{cell: str(verdict) for cell, verdict in table.verdicts.items()}}


def load() -> VerdictsOnRecord:
    """The recorded verdicts. Raises PoolstartError if a record is damaged."""
    return VerdictsOnRecord(expected.load(), bisect.load(bisect.RECORD))


def shares_connection(strategy: str) -> bool:
    """Whether two processes use one connection: such a strategy is never recommended, whatever it costs."""
    return any(each.id == strategy and not each.safe for each in strategies.CATALOGUE)

"""The hazards that affect each strategy in each release; this module alone decides which verdicts count.

A hazard counts for a strategy if a trial of it ended: the strategy was affected, or survived. "n/a" never
counts (the strategy lacks what the hazard needs), nor does "not tried here" (the machine lacked a library).
Where the release's own trials (`poolstart record verdicts`) have no such result, the table of its series
(`poolstart record hazards`) decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.version import Version

from harness import strategies
from harness.drivers import MEASURED
from harness.hazards import catalogue, conditions, expected
from harness.hazards.bisection import release_verdicts
from harness.hazards.conditions import Condition
from harness.hazards.expected import series
from harness.hazards.hazard import TRIED, Hazard, Outcome, Severity, Verdict
from harness.hazards.table import VerdictTable
from harness.records.provenance import Provenance
from harness.system import pythons

SEVERITIES = tuple(Severity)
"""The worst first."""

NAMED = 3
"""The most conditions that a line names; docs/strategies.md lists all of them."""


@dataclass(frozen=True)
class WorstOutcome:
    """The worst failure that was provoked under a strategy, and the worst that remains if conditions hold."""

    severity: Severity | None
    """None if no hazard affected it."""
    hazards: tuple[Hazard, ...]
    """The hazards of that severity."""
    affecting: int
    """The number of hazards that affected it."""
    counted: int
    """The number of hazards that count for it; 0 if none was tried."""
    excluded: tuple[tuple[Condition, tuple[Hazard, ...]], ...] = ()
    """The conditions that exclude hazards by trials on record, each with these hazards, the worst first."""
    remaining: tuple[Hazard, ...] = ()
    """The hazards that affected it and that no condition excludes, the worst first."""
    untried: tuple[Hazard, ...] = ()
    """The hazards that affected it and were not tried with their condition kept."""

    def __str__(self) -> str:
        """`if one thread, no lock held: cost; otherwise: silent loss`."""
        if not self.counted:
            return "not recorded"
        if not self.severity:
            return "nothing"
        if self.untried:
            return f"{self.severity}; with its conditions kept: not tried"
        if self.in_any_case:
            return f"{self.severity} in any case"
        return f"if {self.conditions}: {self.kept}; otherwise: {self.severity}"

    @property
    def in_any_case(self) -> bool:
        """Whether the worst failure can happen even if all conditions hold."""
        return bool(self.remaining) and self.remaining[0].severity is self.severity

    @property
    def conditions(self) -> str:
        """The conditions in a few words each; how many there are, if they are more than `NAMED`."""
        if len(self.excluded) > NAMED:
            return f"its {len(self.excluded)} conditions hold"
        return ", ".join(condition.label for condition, _ in self.excluded)

    @property
    def kept(self) -> str:
        """The worst severity that remains if the program keeps all conditions."""
        if not self.counted:
            return "not recorded"
        if self.untried:
            return "not tried"
        return str(self.remaining[0].severity) if self.remaining else "nothing"

    @property
    def count(self) -> str:
        """`12 of 27`."""
        return f"{self.affecting} of {self.counted}" if self.counted else "not recorded"

    @property
    def sentence(self) -> str:
        """The worst outcome, the hazards that cause it, and how many affect the strategy at all."""
        names = f" ({', '.join(hazard.id for hazard in self.hazards)})" if self.hazards else ""
        return f"{self}{names}" + (f"; {self.count} hazards affect it" if self.counted else "")


@dataclass(frozen=True)
class VerdictSpan:
    """A verdict, and the releases it holds for."""

    verdict: str
    first: str
    last: str

    @property
    def releases(self) -> str:
        return f"in {self.first}" if self.first == self.last else f"from {self.first} to {self.last}"


class VerdictsOnRecord:
    """The recorded verdicts; empty if nothing is on record."""

    def __init__(
        self,
        tables: Mapping[str, VerdictTable] | None = None,
        by_release: release_verdicts.ReleaseVerdicts | None = None,
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
        python = python_named(by_release.provenance) if by_release else ""
        self._other_python = {
            name for name, table in self.tables.items() if python_named(table.provenance) != python
        }
        """The series whose table was recorded under another Python than the trials of each release."""

    def python_of(self, release: str) -> str:
        """The Python under which the verdicts of a release were recorded, `3.11`; empty without a record."""
        table = self.tables.get(series(release))
        return python_named(table.provenance) if table else ""

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
        by_release = None if series(release) in self._other_python else self.by_release
        own = by_release.of(hazard, strategy, release) if by_release else ""
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
        return [VerdictSpan(*span) for span in reversed(spans)]

    def trial(self, hazard: str, strategy: str) -> Outcome | None:
        """The recorded trial of the newest table."""
        return self.newest.outcome(hazard, strategy) if self.newest else None

    def proven(self, hazard: str) -> list[str]:
        """The strategies that a hazard affects, but not with its condition kept, in the newest table."""
        return [
            outcome.strategy
            for part in (self.newest.parts if self.newest else ())
            for outcome in part.outcomes
            if outcome.hazard == hazard and outcome.with_condition is Verdict.SURVIVES
        ]

    def affecting(self, strategy: str, release: str) -> list[Hazard]:
        """The hazards that affect a strategy, the worst first."""
        affecting = [
            hazard
            for hazard in self.hazards
            if self.verdict(hazard.id, strategy, release) == Verdict.AFFECTED
        ]
        return sorted(affecting, key=lambda hazard: SEVERITIES.index(hazard.severity))

    def worst(self, strategy: str, release: str) -> WorstOutcome:
        """The worst outcome of a strategy in a release, with and without its conditions."""
        affecting = self.affecting(strategy, release)
        counted = sum(self.verdict(hazard.id, strategy, release) in TRIED for hazard in self.hazards)
        severity = affecting[0].severity if affecting else None
        with_condition = {
            hazard.id: self._with_condition(hazard, strategy, release)
            for hazard in affecting
            if hazard.condition
        }
        excluded = [hazard for hazard in affecting if with_condition.get(hazard.id) is Verdict.SURVIVES]
        by_condition = {
            condition: tuple(hazard for hazard in excluded if hazard.condition is condition)
            for condition in conditions.ALL
        }
        return WorstOutcome(
            severity,
            tuple(hazard for hazard in affecting if hazard.severity is severity),
            len(affecting),
            counted,
            tuple((condition, hazards) for condition, hazards in by_condition.items() if hazards),
            tuple(
                hazard
                for hazard in affecting
                if not hazard.condition or with_condition[hazard.id] is Verdict.AFFECTED
            ),
            tuple(hazard for hazard in affecting if hazard.condition and with_condition[hazard.id] is None),
        )

    def _with_condition(self, hazard: Hazard, strategy: str, release: str) -> Verdict | None:
        """The verdict with the hazard's condition kept, in the release's series; None if it was not tried."""
        table = self.tables.get(series(release))
        outcomes = (part.outcome(hazard.id, strategy) for part in (table.parts if table else ()))
        known = [outcome.with_condition for outcome in outcomes if outcome and outcome.with_condition]
        return known[0] if known else None


def python_named(provenance: Provenance) -> str:
    """The minor version of a record's Python; the reference's if it is unknown."""
    return pythons.minor(provenance.python or pythons.REFERENCE)


def verdicts_of(table: VerdictTable | None) -> dict[tuple[str, str], str]:
    """The verdicts of a table by hazard and strategy, those of the further strategies included."""
    parts = table.parts if table else ()
    return {cell: str(verdict) for part in parts for cell, verdict in part.verdicts.items()}


def load(python: str = pythons.REFERENCE, driver: str = MEASURED.name) -> VerdictsOnRecord:
    """The verdicts recorded with a driver under a Python, for example `3.14.10`.

    Of a series without them under that Python they are the reference Python's; never another driver's. Raises
    PoolstartError if a record is damaged.
    """
    tables = {**expected.load(driver=driver), **expected.load(python, driver)}
    by_release = release_verdicts.load(release_verdicts.RECORD) if driver == MEASURED.name else None
    return VerdictsOnRecord(tables, by_release)


def shares_connection(strategy: str) -> bool:
    """Whether two processes use one connection under a strategy, which is then never recommended."""
    return any(each.id == strategy and not each.safe for each in strategies.CATALOGUE)

"""The model of the recorded verdicts: a table of outcomes, and what it was measured with."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.inside.story import HazardReading
from harness.records.provenance import Provenance


@dataclass(frozen=True)
class RepeatedTrials:
    """Verdicts that came out the same in every one of many trials."""

    provenance: Provenance
    trials: int
    """Of each verdict."""
    busy: int
    """Cores that were kept busy by other processes."""
    rates: dict[str, dict[str, HazardReading]]
    """Readings that are fractions, pooled over all trials, by figure and strategy."""
    cells: dict[str, list[str]]
    """The verdicts: strategies by hazard."""
    later: dict[str, Provenance] = field(default_factory=dict)
    """The provenance of hazards that were repeated after the others, by hazard."""

    def covers(self, hazard: str, strategy: str) -> bool:
        """Whether this verdict was repeated."""
        return strategy in self.cells.get(hazard, ())


@dataclass(frozen=True)
class VerdictTable:
    """The outcomes of all hazards under one group of strategies, with one release of SQLAlchemy."""

    provenance: Provenance
    outcomes: tuple[Outcome, ...]
    repeated: RepeatedTrials | None = None
    further: "VerdictTable | None" = None
    """In the table of the default strategies, the table of the further ones."""
    later: dict[str, Provenance] = field(default_factory=dict)
    """The provenance of rows that were not measured with the rest of the table, by hazard."""

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

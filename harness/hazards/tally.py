"""Count outcomes: how often each hazard had which verdict under each strategy."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.hazards.hazard import Outcome, Verdict

UNTRIED = (Verdict.NOT_APPLICABLE, Verdict.NOT_TRIED)

Cell = tuple[str, str]
"""A hazard and a strategy."""


@dataclass
class Tally:
    """The counts so far."""

    counts: dict[Cell, Counter[Verdict]] = field(default_factory=dict)
    reasons: dict[Cell, str] = field(default_factory=dict)
    effects: dict[tuple[Cell, Verdict], str] = field(default_factory=dict)
    """What the user observed in the last trial with this verdict."""

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        cell = outcome.hazard, outcome.strategy
        self.counts.setdefault(cell, Counter())[outcome.verdict] += 1
        self.reasons[cell] = outcome.reason or self.reasons.get(cell, "")
        self.effects[cell, outcome.verdict] = " ".join(
            event.what for event in outcome.story if event.who == "user"
        )

    def of(self, hazard: str, strategy: str) -> Counter[Verdict]:
        """How often a hazard had which verdict under a strategy."""
        return self.counts.get((hazard, strategy), Counter())

    def notes(self) -> list[str]:
        """A line for each reason why hazards were not applicable, or not tried."""
        by_reason: dict[str, list[str]] = {}
        for (hazard, name), counts in self.counts.items():
            for verdict in UNTRIED:
                if verdict in counts:
                    reason = f"{verdict}: {self.reasons[hazard, name]}"
                    by_reason.setdefault(reason, []).append(f"{hazard} under {name}")
        return [f"{reason} ({', '.join(cells)})" for reason, cells in by_reason.items()]

    def surprises(self, expected: Mapping[Cell, Verdict]) -> list[str]:
        """A line for each verdict that is not the expected one, or not the same in all trials."""
        return list(self._surprises(expected))

    def _surprises(self, expected: Mapping[Cell, Verdict]) -> Iterator[str]:
        for (hazard, name), counts in self.counts.items():
            got = " and ".join(
                f"{verdict} ({count} of {counts.total()})" for verdict, count in counts.items()
            )
            wanted = expected.get((hazard, name), "not recorded: record it with `poolstart record hazards`")
            # What was not tried is no surprise; `notes` gives the reason.
            if list(counts) not in ([wanted], *([verdict] for verdict in UNTRIED)):
                why = self.reasons[hazard, name] or " ".join(
                    filter(None, (self.effects[(hazard, name), each] for each in counts if each != wanted))
                )
                yield f"{hazard} under {name}: {got}, expected {wanted}{why and f'; {why}'}"

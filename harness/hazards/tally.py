"""A tally of trials: how often each hazard came to which verdict under each strategy."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.hazards.hazard import Outcome, Verdict

Cell = tuple[str, str]
"""A hazard and a strategy."""


@dataclass
class Tally:
    """What has been seen so far."""

    counts: dict[Cell, Counter[Verdict]] = field(default_factory=dict)
    reasons: dict[Cell, str] = field(default_factory=dict)
    read: dict[tuple[Cell, Verdict], str] = field(default_factory=dict)
    """What the user read in the last trial that came to this verdict."""

    def add(self, outcome: Outcome) -> None:
        cell = outcome.hazard, outcome.strategy
        self.counts.setdefault(cell, Counter())[outcome.verdict] += 1
        self.reasons[cell] = outcome.reason or self.reasons.get(cell, "")
        self.read[cell, outcome.verdict] = " ".join(
            event.what for event in outcome.story if event.who == "user"
        )

    def of(self, hazard: str, strategy: str) -> Counter[Verdict]:
        return self.counts.get((hazard, strategy), Counter())

    def notes(self) -> list[str]:
        """Why a hazard was not applicable, once for each reason."""
        told: dict[str, list[str]] = {}
        for (hazard, name), counts in self.counts.items():
            if Verdict.NOT_APPLICABLE in counts:
                told.setdefault(self.reasons[hazard, name], []).append(f"{hazard} under {name}")
        return [f"n/a: {reason} ({', '.join(cells)})" for reason, cells in told.items()]

    def surprises(self, expected: Mapping[Cell, Verdict]) -> list[str]:
        """One line for every verdict that is not the expected one, or not always the same."""
        return list(self._surprises(expected))

    def _surprises(self, expected: Mapping[Cell, Verdict]) -> Iterator[str]:
        for (hazard, name), counts in self.counts.items():
            got = " and ".join(
                f"{verdict} ({count} of {counts.total()})" for verdict, count in counts.items()
            )
            wanted = expected.get((hazard, name), "not recorded: add it with --record")
            # Not applicable is declared, not measured: `notes` tells why.
            if list(counts) not in ([wanted], [Verdict.NOT_APPLICABLE]):
                told = self.reasons[hazard, name] or " ".join(
                    filter(None, (self.read[(hazard, name), each] for each in counts if each != wanted))
                )
                yield f"{hazard} under {name}: {got}, expected {wanted}{told and f'; {told}'}"

"""Outcomes of many trials: the verdicts on record, and the tally of the trials that are running."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.hazards.hazard import TRIED, Outcome, Verdict
from harness.hazards.inside.story import HazardReading
from harness.records.provenance import Provenance

UNTRIED = (Verdict.NOT_APPLICABLE, Verdict.NOT_TRIED)

Cell = tuple[str, str]
"""A hazard and a strategy."""


@dataclass(frozen=True)
class RepeatedTrials:
    """Verdicts that came out the same in every one of many trials."""

    provenance: Provenance
    trials: int
    """The number of trials of each verdict."""
    busy: int
    """Cores that were kept busy by other processes."""
    rates: dict[str, dict[str, HazardReading]]
    """Readings that are fractions, pooled over all trials, by figure and strategy."""
    cells: dict[str, list[str]]
    """The verdicts: strategies by hazard."""
    later: dict[str, Provenance] = field(default_factory=dict)
    """The provenance of hazards that were repeated after the others, by hazard."""

    @property
    def unforced(self) -> dict[str, dict[str, HazardReading]]:
        """The rates over many attempts in each trial; a rate of one attempt a trial was forced."""
        return {
            figure: rates
            for figure, rates in self.rates.items()
            if any((rate.trials or 0) > self.trials for rate in rates.values())
        }

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
    """The provenance of rows and columns that were measured apart from the rest of the table, by hazard or
    strategy."""
    code: dict[str, str] = field(default_factory=dict)
    """The digest of the code that the trials of a row ran (`harness.hazards.suite`), by hazard; a row without
    one was measured before digests were recorded."""

    @property
    def parts(self) -> tuple["VerdictTable", ...]:
        """The table, and that of the further strategies if there is one."""
        return (self, self.further) if self.further else (self,)

    @property
    def verdicts(self) -> dict[tuple[str, str], Verdict]:
        """The verdicts by hazard and strategy."""
        return {(outcome.hazard, outcome.strategy): outcome.verdict for outcome in self.outcomes}

    @property
    def strategies(self) -> tuple[str, ...]:
        """The strategies of the table, in its order."""
        return tuple(dict.fromkeys(outcome.strategy for outcome in self.outcomes))

    def provenance_of(self, hazard: str) -> Provenance:
        """The provenance of a row."""
        return self.later.get(hazard, self.provenance)

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


def still_true(before: VerdictTable, now: VerdictTable) -> RepeatedTrials | None:
    """The repeated trials of `before` whose verdicts are the same in `now`; None if there are none."""
    if not before.repeated:
        return None
    cells = by_hazard(
        cell
        for cell, verdict in now.verdicts.items()
        if before.repeated.covers(*cell) and before.verdicts.get(cell) is verdict in TRIED
    )
    return replace(before.repeated, cells=cells) if cells else None


def pooled_rates(outcomes: Sequence[Outcome]) -> dict[str, dict[str, HazardReading]]:
    """The readings that are fractions, each over all trials together, by figure and strategy."""
    hits: Counter[tuple[str, str]] = Counter()
    trials: Counter[tuple[str, str]] = Counter()
    for outcome in outcomes:
        for figure, reading in outcome.readings.items():
            if reading.trials is not None:
                hits[figure, outcome.strategy] += round(reading.value * reading.trials)
                trials[figure, outcome.strategy] += reading.trials
    pooled: dict[str, dict[str, HazardReading]] = {}
    for (figure, strategy), total in trials.items():
        pooled.setdefault(figure, {})[strategy] = HazardReading(hits[figure, strategy] / total, total)
    return pooled


def with_repeated(
    table: VerdictTable, provenance: Provenance, outcomes: Sequence[Outcome], trials: int, busy: int
) -> VerdictTable:
    """The table with these repeated trials, beside those that were repeated as often under the same load."""
    tried = [outcome for outcome in outcomes if outcome.verdict in TRIED]
    cells = [(outcome.hazard, outcome.strategy) for outcome in tried]
    now = RepeatedTrials(provenance, trials, busy, pooled_rates(tried), by_hazard(cells))
    before = table.repeated
    if before and (before.trials, before.busy) == (trials, busy):
        others = [(hazard, name) for hazard, names in before.cells.items() for name in names]
        later = {hazard: other for hazard, other in before.later.items() if hazard not in now.cells}
        if set(others) <= set(cells):
            first = provenance
        else:
            first = before.provenance
            later |= dict.fromkeys(now.cells, provenance) if provenance != first else {}
        now = replace(
            now,
            provenance=first,
            rates={
                figure: {**before.rates.get(figure, {}), **now.rates.get(figure, {})}
                for figure in {**before.rates, **now.rates}
            },
            cells=by_hazard([*others, *cells]),
            later=later,
        )
    return replace(table, repeated=now)


@dataclass
class Tally:
    """Counts the verdicts of each hazard under each strategy."""

    counts: dict[Cell, Counter[Verdict]] = field(default_factory=dict)
    reasons: dict[Cell, str] = field(default_factory=dict)
    effects: dict[tuple[Cell, Verdict], str] = field(default_factory=dict)
    """The user's observation in the last trial with this verdict."""

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        cell = outcome.hazard, outcome.strategy
        self.counts.setdefault(cell, Counter())[outcome.verdict] += 1
        self.reasons[cell] = outcome.reason or self.reasons.get(cell, "")
        self.effects[cell, outcome.verdict] = " ".join(
            event.what for event in outcome.story if event.who == "user"
        )

    def of(self, hazard: str, strategy: str) -> Counter[Verdict]:
        """The number of trials by verdict, of one hazard under one strategy."""
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
        lines = []
        for (hazard, name), counts in self.counts.items():
            got = " and ".join(
                f"{verdict} ({count} of {counts.total()})" for verdict, count in counts.items()
            )
            wanted = expected.get((hazard, name), "not recorded: record it with `poolstart record hazards`")
            # A trial that did not run is no surprise; `notes` gives the reason.
            if list(counts) not in ([wanted], *([verdict] for verdict in UNTRIED)):
                why = self.reasons[hazard, name] or " ".join(
                    filter(None, (self.effects[(hazard, name), each] for each in counts if each != wanted))
                )
                lines.append(f"{hazard} under {name}: {got}, expected {wanted}{why and f'; {why}'}")
        return lines

"""The verdicts, costs and outcomes behind a pooler that are on record for exactly one combination."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness import strategies
from harness.answer import recommendation, verdicts
from harness.answer.combinations.combination import REFERENCE, Combination
from harness.answer.figures import answers, on_record, results, sentences
from harness.answer.figures.results import ReleaseResults
from harness.answer.verdicts import VerdictsOnRecord
from harness.console.numbers import digits
from harness.hazards import expected
from harness.hazards.hazard import Verdict
from harness.poolers import figures, summary
from harness.poolers.figures import PoolersRecord
from harness.system.environment import ROOT
from harness.system.memory import MIB

UNPOOLED = "Hazards were tried without a pooler."


@dataclass(frozen=True)
class CombinationVerdict:
    """The failures of a strategy, in sentences."""

    text: str
    hazards: tuple[str, ...] = ()
    """The hazards that affect it, the worst first."""

    @property
    def sentence(self) -> str:
        """The text with the names of the hazards."""
        return f"{self.text} Affected by: {', '.join(self.hazards)}." if self.hazards else self.text


@dataclass(frozen=True)
class StrategyCosts:
    """The costs of a worker: seconds, bytes and round trips; None if a figure was not measured."""

    first: float | None = None
    unique: float | None = None
    collected: float | None = None
    trips: float | None = None

    @property
    def sentence(self) -> str:
        """The figures in words; empty without any."""
        parts = [
            f"first row after {sentences.milliseconds(self.first)}" if self.first else "",
            f"{mebibytes(self.unique)} of unique memory" if self.unique else "",
            f"{mebibytes(self.collected)} after a full garbage collection" if self.collected else "",
            f"{self.trips:.0f} round trips until the first row" if self.trips else "",
        ]
        return ", ".join(filter(None, parts))


@dataclass(frozen=True)
class CombinationCosts:
    """The costs of a worker with one combination, and their source."""

    source: str
    """A sentence."""
    strategies: dict[str, StrategyCosts]
    again: tuple[float, float] | None
    """The additional cost of each further query without a pool: seconds, and round trips."""


@dataclass(frozen=True)
class CombinationRecords:
    """The records that the sentences rest on."""

    verdicts: Mapping[str, VerdictsOnRecord] = field(default_factory=dict)
    """By `Combination.record`."""
    results: Sequence[ReleaseResults] = ()
    """The newest of each series of all drivers, in the order of `TestBed.preference`."""
    poolers: PoolersRecord | None = None

    def verdict(self, wanted: Combination, strategy: str) -> CombinationVerdict:
        """The failures of a strategy without a pooler; verdicts of another Python are marked as such."""
        entry = strategies.get(strategy)
        if reason := entry.unwritten(wanted.driver):
            return CombinationVerdict(f"Not tried: {reason}.")
        # Then the same driver under the reference Python: another driver's verdicts say nothing.
        for tried in dict.fromkeys((wanted, replace(wanted, python=REFERENCE.python))):
            recorded = self.verdicts.get(tried.record) or VerdictsOnRecord()
            release = recorded.newest_release
            worst = recorded.worst(strategy, release)
            if not worst.counted:
                continue
            given = [recorded.verdict(hazard.id, strategy, release) for hazard in recorded.hazards]
            untried = sum(verdict in ("", Verdict.NOT_TRIED) for verdict in given)
            others = f" Not tried: {untried} more." if untried else ""
            start = "" if tried == wanted else f"Not tried: {strategy} with {wanted.title}. "
            outcome = f"worst outcome {worst}" if worst.affecting else "none affects it"
            return CombinationVerdict(
                f"{start}Hazards with {tried.title}, SQLAlchemy {release}: {outcome}."
                f" Affected by {worst.affecting} of the {worst.counted} that were tried.{others}",
                tuple(hazard.id for hazard in recorded.affecting(strategy, release)),
            )
        return CombinationVerdict(f"Hazards of {strategy} with {wanted.title}: not tried.")

    def costs(self, wanted: Combination) -> CombinationCosts | None:
        """The costs of a worker without a pooler, from its series; None if not measured.

        A series that was measured on a busy machine comes last, since only its counts are valid.
        """
        names = wanted.driver.name, wanted.python
        measured = [series for series in self.results if series.combination == names]
        return costs_of(min(measured, key=lambda series: bool(series.busy))) if measured else None

    def pooler(self, wanted: Combination) -> list[str]:
        """Sentences on what breaks, works and costs behind the pooler; empty without one."""
        if not wanted.pooler:
            return []
        return [
            UNPOOLED,
            *summary.sentences(self.poolers, wanted.driver, wanted.python, wanted.pooler),
        ]


def load(directory: Path = ROOT / "results") -> CombinationRecords:
    """All records. Raises `PoolstartError` if one is damaged, or there are no results."""
    known = on_record.load(directory)
    return CombinationRecords(
        {**other_verdicts(), REFERENCE.record: verdicts.load()},
        [*answers.answers(known), *answers.of_other_drivers(known)],
        figures.load(),
    )


def other_verdicts() -> dict[str, VerdictsOnRecord]:
    """The verdicts of each combination besides the reference.

    Raises `PoolstartError` if the record is damaged.
    """
    return {which: VerdictsOnRecord(expected.tables_of(which)) for which in expected.combinations()}


def not_measured(wanted: Combination) -> str:
    """A sentence that says that no figure of a combination is on record, and how to measure one."""
    return (
        f"What a worker costs with {wanted.title}: not measured."
        f" {results.uv_run(wanted.driver.name, wanted.python)} poolstart measure shows it."
    )


def costs_of(series: ReleaseResults) -> CombinationCosts:
    """The costs of all recommended strategies in a series; only its counts if the machine was busy."""

    def figure(metric: str, strategy: str) -> float | None:
        level = None if series.busy else series.levels.get((metric, strategy, "none"))
        return level.mean if level else None

    def count(name: str, strategy: str) -> float | None:
        return series.counts.get((name, strategy))

    without, pooled = (
        (figure("second_query", name), count("round_trips_second_query", name))
        for name in (recommendation.POOLLESS, recommendation.FORKED)
    )
    again = None
    if None not in (*without, *pooled):
        again = (without[0] - pooled[0], without[1] - pooled[1])  # type: ignore[operator]
    why = f" {series.warning}" if series.busy else ""
    return CombinationCosts(
        f"Measured with {series.conditions}.{why}",
        {
            name: StrategyCosts(
                figure("time_to_first_row", name),
                figure("uss", name),
                figure("uss_collected", name),
                count("round_trips_first_query", name),
            )
            for name in recommendation.RECOMMENDED
        },
        again,
    )


def mebibytes(amount: float) -> str:
    return f"{digits(amount / MIB)} MiB"

"""The instructions of two sides of a comparison, for the strategies that start a new interpreter."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import strategies
from harness.drivers import MEASURED
from harness.instructions import table
from harness.instructions.count import PHASES, count
from harness.instructions.table import TOTAL, InstructionsRow
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable
from harness.records.provenance import Provenance

if TYPE_CHECKING:
    from harness.comparisons.result import Side


SECONDS = 30.0
"""To count a worker of each side, roughly."""


@dataclass(frozen=True)
class InstructionsComparison:
    """A worker of each side."""

    strategy: str
    """Of both sides, or `first -> second` where strategies are compared."""
    first: InstructionsRow
    second: InstructionsRow

    def ratio(self, phase: str) -> float:
        return self.second.instructions(phase) / self.first.instructions(phase)

    def verdict(self, phase: str) -> str:
        """`slower`, `faster`, or `same` where the difference is too small to be reported."""
        if phase not in table.changed_phases(self.first, self.second):
            return "same"
        return "slower" if self.ratio(phase) > 1 else "faster"

    def records(self, tolerate: float) -> Iterator[dict[str, Any]]:
        """A row for each phase and their sum, with keys of `harness.comparisons.report.COLUMNS`."""
        for phase in (TOTAL, *PHASES):
            ratio, verdict = self.ratio(phase), self.verdict(phase)
            yield {
                "metric": f"instructions_{phase}",
                "unit": "instructions",
                "strategy": self.strategy,
                "before": self.first.instructions(phase),
                "after": self.second.instructions(phase),
                **dict.fromkeys(("ratio", "low", "high"), ratio),
                "verdict": verdict,
                "limit": tolerate,
                "outcome": "worse" if verdict == "slower" and ratio > 1 + tolerate else "passed",
            }


def count_sides(
    first: "Side", second: "Side", server: Server, report: Callable[[str], object]
) -> list[InstructionsComparison]:
    """Count a worker of each side for each strategy that spawns it; none if no strategy does.

    Raises `NotApplicable` without valgrind, or `PoolstartError` if a worker fails.
    """

    if first.driver != MEASURED.name or second.driver != MEASURED.name:
        raise NotApplicable(f"instructions are counted with {MEASURED.name} only")

    def row(side: "Side", strategy: str) -> InstructionsRow:
        report(f"counting instructions of {strategy} with SQLAlchemy {side.release}")
        counted = count(server, release=side.release, python=side.python, strategy=strategy)
        return InstructionsRow.of(counted, Provenance.here(server.identity, release=side.release))

    return [
        InstructionsComparison(
            before if before == after else f"{before} -> {after}", row(first, before), row(second, after)
        )
        for before, after in spawned(first, second)
    ]


def spawned(first: "Side", second: "Side") -> list[tuple[str, str]]:
    """The pairs of built-in strategies that spawn their workers."""
    built_in = {name for name in strategies.GROUPS["all"] if strategies.get(name).start_method == "spawn"}
    pairs = zip(first.strategies, second.strategies, strict=True)
    return [pair for pair in pairs if built_in.issuperset(pair)]

"""The sides of a comparison, and its result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness import drivers
from harness.comparisons import counts, instructions
from harness.comparisons.counts import CountsComparison
from harness.comparisons.instructions import InstructionsComparison
from harness.comparisons.judge import CANNOT_TELL, ComparisonRow
from harness.lifecycles.cell import Cell
from harness.lifecycles.plan import Report
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable, Rejected


def exact_seconds(first: "Side", second: "Side") -> float:
    """How long `Comparison.with_exact` takes, roughly."""
    measured = first.driver == second.driver == drivers.MEASURED.name
    spawned = instructions.spawned(first, second) if measured else []
    return counts.SECONDS * len(first.strategies) + instructions.SECONDS * len(spawned)


@dataclass(frozen=True)
class Side:
    """One of the two things that are compared."""

    name: str
    """As the user named it."""
    release: str
    """The SQLAlchemy that it imports."""
    python: Path
    strategies: tuple[str, ...]
    driver: str = drivers.MEASURED.name
    """As `harness.drivers` names it."""

    def cells(self, dataframes: Sequence[str]) -> list[Cell]:
        return [Cell(strategy, dataframe) for dataframe in dataframes for strategy in self.strategies]


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison."""

    first: Side
    second: Side
    rows: tuple[ComparisonRow, ...]
    noisy: int
    """Pairs that were left out because something else used the processors."""
    seconds: float
    rejected: list[str]
    not_applicable: list[str]
    notes: tuple[str, ...]
    """Facts that differ although only the compared thing should, and warnings."""
    busy: str = ""
    """Why nothing can be concluded from the times; empty if nothing shows that the machine was busy."""
    instructions: tuple[InstructionsComparison, ...] = ()
    """Of strategies that spawn their workers: exact, on a busy machine too."""
    counts: tuple[CountsComparison, ...] = ()
    """Exact as well."""
    tolerate: float = 0.03
    """How much worse is tolerated, relative."""

    def with_exact(self, server: Server, report: Report) -> "Comparison":
        """The same with counts and instructions of both sides, or the reasons why there are none."""
        found = self
        try:
            counted, reasons = counts.count_sides(self.first, self.second, server, report)
            found = replace(found, counts=tuple(counted), not_applicable=[*found.not_applicable, *reasons])
            executed = instructions.count_sides(self.first, self.second, server, report)
        except NotApplicable as reason:
            return replace(found, not_applicable=[*found.not_applicable, str(reason)])
        except Rejected as reason:
            return replace(found, rejected=[*found.rejected, str(reason)])
        return replace(found, instructions=tuple(executed))

    @property
    def exact(self) -> list[InstructionsComparison | CountsComparison]:
        """What repeats exactly."""
        return [*self.instructions, *self.counts]

    @property
    def worse(self) -> bool:
        """Whether any figure of the second side is certainly worse by more than is tolerated."""
        exact = (row["outcome"] for each in self.exact for row in each.records(self.tolerate))
        return "worse" in exact or any(row.worse for row in self.rows)

    def concluded(self) -> "Comparison":
        """The same figures, but without verdicts if the machine was busy."""
        if not self.busy:
            return self
        return replace(self, rows=tuple(replace(row, verdict=CANNOT_TELL) for row in self.rows))

    @property
    def status(self) -> int:
        """The exit status of `poolstart compare`: 1 for worse, 2 for failed, 3 for undecided, otherwise 0."""
        if self.worse:
            return 1
        if self.rejected or not self.rows:
            return 2
        return 3 if self.busy or any(row.undecided for row in self.rows) else 0

"""The sides of a comparison, and its result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness import drivers
from harness.comparisons.exact import ExactRow
from harness.comparisons.judge import CANNOT_TELL, ComparisonRow
from harness.lifecycles.cell import Cell


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
    exact: tuple[ExactRow, ...] = ()
    """Counts and instructions, which repeat exactly, on a busy machine too."""
    tolerate: float = 0.03
    """How much worse is tolerated, relative."""

    @property
    def worse(self) -> bool:
        """Whether any figure of the second side is certainly worse by more than is tolerated."""
        return any(row.worse for row in self.rows) or any(row.worse(self.tolerate) for row in self.exact)

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

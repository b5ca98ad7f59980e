"""The counts of two sides of a comparison: modules, statements and round trips, which repeat exactly."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import drivers
from harness.counts.count import count
from harness.counts.registry import COUNTS
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable

if TYPE_CHECKING:
    from harness.comparisons.result import Side

UNITS = ("modules", "statements", "round trips")
"""Of the counts that are compared. Code and calls change with nearly every release."""

SECONDS = 3.0
"""To count a worker of each side, roughly."""


@dataclass(frozen=True)
class CountsComparison:
    """The counts of a worker of each side."""

    strategy: str
    """Of both sides, or `first -> second` where strategies are compared."""
    first: dict[str, int]
    second: dict[str, int]
    """By the id of the count."""

    def changed(self) -> Iterator[tuple[str, int, int]]:
        """The counts that differ: id, before and after."""
        for name, before in self.first.items():
            if self.second[name] != before:
                yield name, before, self.second[name]

    def records(self, tolerate: float) -> Iterator[dict[str, Any]]:
        """A row for each count, with keys of `harness.comparisons.report.COLUMNS`."""
        for name, before in self.first.items():
            after = self.second[name]
            yield {
                "metric": name,
                "unit": COUNTS[name].unit,
                "strategy": self.strategy,
                "before": before,
                "after": after,
                **dict.fromkeys(("ratio", "low", "high"), after / before if before else None),
                "verdict": "same" if after == before else "more" if after > before else "fewer",
                "limit": tolerate,
                "outcome": "worse" if after > before * (1 + tolerate) else "passed",
            }


def count_sides(
    first: "Side", second: "Side", server: Server, report: Callable[[str], object]
) -> tuple[list[CountsComparison], list[str]]:
    """Count a worker of each side for each strategy, and the reasons of those that cannot be counted.

    Both sides are counted at the same time, which changes no count. Raises `PoolstartError` if a worker
    fails.
    """

    def counts(side: "Side", strategy: str) -> dict[str, int]:
        counted = count(
            strategy, server, release=side.release, python=side.python, driver=drivers.get(side.driver)
        )
        return {name: number for name, number in counted.figures.items() if COUNTS[name].unit in UNITS}

    found, reasons = [], []
    with ThreadPoolExecutor(2) as pool:
        for names in zip(first.strategies, second.strategies, strict=True):
            strategy = " -> ".join(dict.fromkeys(names))
            report(f"counting statements and modules of {strategy}")
            try:
                found.append(CountsComparison(strategy, *pool.map(counts, (first, second), names)))
            except NotApplicable as reason:
                reasons.append(f"counts of {strategy}: {reason}")
    return found, reasons

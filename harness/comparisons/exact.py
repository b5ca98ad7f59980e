"""What repeats exactly, of both sides of a comparison: counts, and instructions of spawned workers."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import drivers, strategies
from harness.counts.count import count as count_work
from harness.counts.registry import COUNTS
from harness.drivers import MEASURED
from harness.instructions import table
from harness.instructions.count import PHASES
from harness.instructions.count import count as count_instructions
from harness.instructions.table import TOTAL, InstructionsRow
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable, Rejected
from harness.records.provenance import Provenance

if TYPE_CHECKING:
    from harness.comparisons.result import Side

Report = Callable[[str], object]

UNITS = ("modules", "statements", "round trips")
"""Of the counts that are compared. Code and calls change with nearly every release."""

INSTRUCTIONS = "instructions"
"""The unit of the others."""


@dataclass(frozen=True)
class ExactRow:
    """One number of a worker of each side."""

    metric: str
    """The id of a count, or `instructions_` and a phase, or `total`."""
    unit: str
    strategy: str
    """Of both sides, or `first -> second` where strategies are compared."""
    before: int
    after: int
    verdict: str
    """`same`, `more` or `fewer`; of instructions `slower`, `faster`, or `same` if too few to be reported."""

    @property
    def ratio(self) -> float | None:
        return self.after / self.before if self.before else None

    def worse(self, tolerate: float) -> bool:
        """Whether it is larger by more than `tolerate`, relative."""
        return self.verdict != "same" and self.after > self.before * (1 + tolerate)

    def record(self, tolerate: float) -> dict[str, Any]:
        """With keys of `harness.comparisons.report.COLUMNS`."""
        return {
            **vars(self),
            **dict.fromkeys(("ratio", "low", "high"), self.ratio),
            "limit": tolerate,
            "outcome": "worse" if self.worse(tolerate) else "passed",
        }


def both(
    first: "Side", second: "Side", server: Server, report: Report
) -> tuple[list[ExactRow], list[str], list[str]]:
    """What is counted of both sides, the reasons why something is not, and what failed."""
    rows: list[ExactRow] = []
    reasons: list[str] = []
    try:
        rows, reasons = counts(first, second, server, report)
        return [*rows, *instructions(first, second, server, report)], reasons, []
    except NotApplicable as reason:
        return rows, [*reasons, str(reason)], []
    except Rejected as failure:
        return rows, reasons, [str(failure)]


def counts(first: "Side", second: "Side", server: Server, report: Report) -> tuple[list[ExactRow], list[str]]:
    """Count a worker of each side for each strategy, and the reasons of those that cannot be counted.

    Both sides are counted at the same time, which changes no count. Raises `PoolstartError` if a worker
    fails.
    """

    def figures(side: "Side", strategy: str) -> dict[str, int]:
        driver = drivers.get(side.driver)
        return count_work(strategy, server, release=side.release, python=side.python, driver=driver).figures

    found: list[ExactRow] = []
    reasons = []
    with ThreadPoolExecutor(2) as pool:
        for names in zip(first.strategies, second.strategies, strict=True):
            strategy = " -> ".join(dict.fromkeys(names))
            report(f"counting statements and modules of {strategy}")
            try:
                before, after = pool.map(figures, (first, second), names)
            except NotApplicable as reason:
                reasons.append(f"counts of {strategy}: {reason}")
                continue
            for name, count in COUNTS.items():
                if count.unit in UNITS:
                    was, now = before[name], after[name]
                    verdict = "same" if now == was else "more" if now > was else "fewer"
                    found.append(ExactRow(name, count.unit, strategy, was, now, verdict))
    return found, reasons


def instructions(first: "Side", second: "Side", server: Server, report: Report) -> Iterator[ExactRow]:
    """The phases of a worker of each side, and their sum, for each strategy that spawns it.

    Raises `NotApplicable` without valgrind, or `PoolstartError` if a worker fails.
    """
    if first.driver != MEASURED.name or second.driver != MEASURED.name:
        raise NotApplicable(f"instructions are counted with {MEASURED.name} only")

    def row(side: "Side", strategy: str) -> InstructionsRow:
        report(f"counting instructions of {strategy} with SQLAlchemy {side.release}")
        counted = count_instructions(server, release=side.release, python=side.python, strategy=strategy)
        return InstructionsRow.of(counted, Provenance.here(server.identity, release=side.release))

    for names in spawned(first, second):
        before, after = (row(side, name) for side, name in zip((first, second), names, strict=True))
        yield from of_rows(" -> ".join(dict.fromkeys(names)), before, after)


def of_rows(strategy: str, before: InstructionsRow, after: InstructionsRow) -> Iterator[ExactRow]:
    """The phases of two workers, and their sum."""
    changed = set(table.changed_phases(before, after))
    for phase in (TOTAL, *PHASES):
        was, now = before.instructions(phase), after.instructions(phase)
        verdict = "same" if phase not in changed else "slower" if now > was else "faster"
        yield ExactRow(f"instructions_{phase}", INSTRUCTIONS, strategy, was, now, verdict)


def spawned(first: "Side", second: "Side") -> list[tuple[str, str]]:
    """The pairs of built-in strategies that spawn their workers."""
    built_in = {name for name in strategies.GROUPS["all"] if strategies.get(name).start_method == "spawn"}
    pairs = zip(first.strategies, second.strategies, strict=True)
    return [pair for pair in pairs if built_in.issuperset(pair)]

"""What to pair next: the procedure that finds the releases that changed a time or memory.

1. Screen: pair with the reference the newest release, the one before it, the first one, and both sides of
   each release that changed instructions or counts.
2. Decide: where two neighbours on record seem to differ, pair both again. Only these second pairs decide.
   The newest release and the one before it are paired with each other in any case.
3. Bisect: if releases lie between two that differ, screen the one in the middle.

A change is so always between two releases that were measured, and ends up between two that follow each other.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from harness import strategies as catalogue
from harness.history import paired
from harness.history.changes import Changes
from harness.history.reference import (
    DECIDING,
    NEWEST,
    REFERENCE,
    SCREENING,
    SESSION,
    STRATEGIES,
    RatioRow,
    rows_of,
    versions,
)
from harness.instructions import table
from harness.instructions.table import InstructionsTable


@dataclass(frozen=True)
class Step:
    """Pairs of one release with the reference, or with the release `before` it."""

    release: str
    strategies: tuple[str, ...]
    pairs: int = SCREENING
    deciding: bool = False
    before: str = ""


Rows = Sequence[RatioRow]


def following(
    rows: Rows,
    order: Sequence[str],
    candidates: Collection[str],
    machine: str,
    strategies: Sequence[str] = STRATEGIES,
    only: Collection[str] = (),
) -> Step | None:
    """The next step; None if nothing is left to do.

    `rows` are those on record, `order` is all releases, and `candidates` are the releases that are known to
    change something. Rows of another machine do not count here. With `only`, no others than these releases
    are paired, and all of them are.
    """
    ours = [row for row in rows if row.provenance.machine == machine]
    # What has begun is brought to its end first, so that an interruption leaves little undecided.
    steps = chain(
        newest(ours, order, machine, strategies),
        decisions(ours, order, candidates, machine, strategies),
        screenings(ours, only or anchors(order, candidates), machine, strategies),
        bisections(ours, order, machine, strategies),
    )
    return next((step for step in steps if not only or step.release in only), None)


def candidates(order: Sequence[str], known: Changes, counted: InstructionsTable | None) -> list[str]:
    """The releases whose instructions changed, or whose counts of work did, or that earlier pairs found, in
    order."""
    adjacent = set(pairwise(order))
    found = {change.release for change in known.paired} | {change.release for change in known.counts}
    for change in table.changes(counted.rows) if counted else []:
        # Rows may be missing in between: then the change has no release.
        if (change.before.release, change.after.release) in adjacent and change.whole:
            found.add(change.after.release)
    return [release for release in order if release in found]


def anchors(order: Sequence[str], candidates: Collection[str]) -> list[str]:
    """The releases that are screened in any case: the newest first, then the candidates, each with its
    predecessor."""
    wanted = [release for release in reversed(order) if release in candidates or release == order[-1]]
    before = dict(zip(order[1:], order, strict=False))
    pairs = [each for release in wanted for each in (release, before.get(release, release))]
    return list(dict.fromkeys([*pairs, order[0]]))


def screenings(rows: Rows, wanted: Iterable[str], machine: str, strategies: Sequence[str]) -> Iterator[Step]:
    for release in wanted:
        missing = [name for name in strategies if name not in rows_of(rows, release, machine)]
        if missing and release != REFERENCE:
            yield Step(release, tuple(missing))


def newest(rows: Rows, order: Sequence[str], machine: str, strategies: Sequence[str]) -> Iterator[Step]:
    """Direct pairs of the newest release and the one before it, in as many sessions as it takes."""
    before, release = order[-2:]
    direct = rows_of(rows, release, machine, before)
    decided = {name: direct[name].decided if name in direct else 0 for name in strategies if forks(name)}
    fewest = min(decided.values(), default=NEWEST)
    if fewest < NEWEST:
        due = tuple(name for name, number in decided.items() if number == fewest)
        yield Step(release, due, SESSION, deciding=True, before=before)


def decisions(
    rows: Rows, order: Sequence[str], candidates: Collection[str], machine: str, strategies: Sequence[str]
) -> Iterator[Step]:
    """Second pairs of neighbours on record that seem to differ, or must, as their instructions or counts
    do, unless there are direct pairs of them."""
    adjacent = set(pairwise(order))
    suspicious = {
        (change.before, change.release, change.strategy)
        for change in paired.changes(rows, screening=True)
        if change.suspicious or ((change.before, change.release) in adjacent and change.release in candidates)
    }
    # The newest release first.
    for before, release in reversed(list(pairwise(versions(rows)))):
        direct = rows_of(rows, release, machine, before)
        wanted = [name for name in strategies if (before, release, name) in suspicious and name not in direct]
        for end in (release, before):
            of_end = rows_of(rows, end, machine)
            if due := tuple(name for name in wanted if name in of_end and not of_end[name].deciding):
                yield Step(end, due, DECIDING, deciding=True)


def forks(strategy: str) -> bool:
    return not catalogue.get(strategy).boots_an_interpreter


def bisections(rows: Rows, order: Sequence[str], machine: str, strategies: Sequence[str]) -> Iterator[Step]:
    """The release in the middle of two that certainly differ."""
    for change in reversed(paired.changes(rows)):
        if change.certain and change.strategy in strategies:
            first, last = order.index(change.before), order.index(change.release)
            if last - first > 1:
                middle = order[(first + last) // 2]
                missing = [name for name in strategies if name not in rows_of(rows, middle, machine)]
                if missing:
                    yield Step(middle, tuple(missing))

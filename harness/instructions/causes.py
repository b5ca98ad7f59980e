"""Why a release executes more or fewer instructions than the one before it.

A second worker of each release marks the begin and the end of its imports, so its instructions are known by
module; those of C functions come from the same profiles. Calls of Python functions are counted by
`harness.counts`.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from harness.counts.count import count as count_calls
from harness.counts.observe import QUERIES
from harness.instructions.count import PHASES, STRATEGY, InstructionCount, count
from harness.instructions.table import Change, InstructionsCauses
from harness.postgres.server import Server

T = TypeVar("T")

MAX_ENTRIES = 12
"""Entries of each list that are kept: the largest changes."""

MIN_SHARE = 0.002
"""The smallest change that is listed, as a share of all changes of its list."""


def between(releases: tuple[str, ...], pythons: tuple[Path, ...], server: Server) -> InstructionsCauses:
    """The causes of the change from the first release to the second. Raises as `count` does."""

    def both(of: Callable[..., T]) -> Iterator[T]:
        # At the same time, which changes no count.
        return pool.map(lambda release, python: of(server, release=release, python=python), releases, pythons)

    with ThreadPoolExecutor() as pool:
        counts = tuple(both(partial(count, by_module=True)))
        return of_counts(counts, tuple(both(calls)))


def of_counts(
    counts: tuple[InstructionCount, ...], calls: tuple[dict[str, dict[str, int]], ...]
) -> InstructionsCauses:
    """The same from two counts by module, and the calls of two others."""
    (before, after), (calls_before, calls_after) = counts, calls
    return InstructionsCauses(
        before=before.release,
        after=after.release,
        modules={phase: largest(before.modules[phase], after.modules[phase]) for phase in PHASES},
        functions={phase: largest(before.functions[phase], after.functions[phase]) for phase in PHASES},
        calls={query: largest(calls_before[query], calls_after[query]) for query in QUERIES},
    )


def calls(server: Server, *, release: str, python: Path) -> dict[str, dict[str, int]]:
    """Calls of Python functions by query and function."""
    return count_calls(STRATEGY, server, release=release, python=python).calls


def largest(before: Mapping[str, int], after: Mapping[str, int]) -> tuple[Change, ...]:
    """The entries that changed most, the largest change first."""
    changed = [
        (name, before.get(name, 0), after.get(name, 0))
        for name in sorted(before.keys() | after.keys())
        if before.get(name, 0) != after.get(name, 0)
    ]
    total = sum(abs(new - old) for _, old, new in changed)
    changed.sort(key=lambda change: -abs(change[2] - change[1]))
    return tuple(
        change for change in changed[:MAX_ENTRIES] if abs(change[2] - change[1]) >= MIN_SHARE * total
    )

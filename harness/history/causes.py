"""What changed between two neighbouring releases for one strategy: the causes of a step.

Everything is counted (`harness.counts`), and so does not depend on how busy the machine is. Memory that is
held is measured by `tracemalloc`, which varies by a thousandth.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import strategies
from harness.counts import count
from harness.counts.count import Counts
from harness.counts.observe import (
    IMPORTS,
    MEASURED,
    MEMORY,
    PHASES,
    PROBES,
    QUERIES,
    START,
    Observation,
    observe,
)
from harness.postgres.server import Server
from harness.records.provenance import Provenance

MAX_ENTRIES = 12
"""Entries of each list that are kept: the largest changes."""

MIN_HELD_CHANGE = 4096
"""The smallest change of held memory that counts, in bytes."""

CODE = "loaded modules: code and constants"

OWN = ("harness",)
"""Prefixes of poolstart's own modules."""

GENERATIONS = ("young", "middle", "full")

Change = tuple[str, float, float]
"""A name, its number before, and after."""


@dataclass(frozen=True)
class CountedRelease:
    """The counts of one release."""

    counts: Counts
    code: dict[str, int]
    """Bytes of code objects by module, including modules that depend on the interpreter's build."""
    calls: dict[str, dict[str, int]]
    """By phase and function; those of imports only if the worker imports anything."""
    collections: dict[str, list[int]]
    """By phase and generation, in the worker that is timed elsewhere."""
    held: dict[str, int]
    """Bytes by module."""


@dataclass(frozen=True)
class Explanation:
    """The differences of two neighbouring releases; lists hold the largest changes."""

    before: str
    after: str
    strategy: str
    python: str
    compiled: tuple[bool, bool]
    """Whether SQLAlchemy's C extensions were loaded."""
    figures: tuple[Change, ...]
    """Counts that changed."""
    packages: tuple[Change, ...]
    """Bytes of code by package."""
    modules_added: tuple[Change, ...]
    modules_left_out: tuple[Change, ...]
    modules_changed: tuple[Change, ...]
    """Bytes of code of modules."""
    calls_by_module: dict[str, tuple[Change, ...]]
    calls: dict[str, tuple[Change, ...]]
    """Calls of functions, by phase."""
    statements_added: dict[str, tuple[str, ...]]
    statements_left_out: dict[str, tuple[str, ...]]
    """By query."""
    held: tuple[Change, ...]
    """Bytes that are held after the second row, by the module whose line allocated them."""
    collections: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    """By phase and generation, where they changed, in the worker that is timed elsewhere."""
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def counted(self) -> str:
        """` since 2026-11-28`, for an explanation on record; empty if its day is unknown."""
        return f" since {self.provenance.day}" if self.provenance.date else ""

    @property
    def changelog(self) -> str:
        return changelog(self.after)

    def work_changed(self, phase: str) -> bool:
        """Whether SQLAlchemy's work in a phase changed."""
        if phase == START:
            others: tuple[Any, ...] = (self.modules_added, self.modules_left_out, self.modules_changed)
        else:
            others = (self.statements_added[phase], self.statements_left_out[phase])
        return any((self.calls[phase], *others))

    @property
    def collector_alone(self) -> tuple[str, ...]:
        """The phases whose collections changed although SQLAlchemy's work did not.

        The imports of a fork server that preloads are no such phase: its work is not counted.
        """
        preloads = bool(strategies.get(self.strategy).preload)
        return tuple(
            phase
            for phase in self.collections
            if not self.work_changed(phase) and not (preloads and phase == START)
        )


def changelog(release: str) -> str:
    """Where SQLAlchemy's own notes on a release are."""
    major, minor, _ = release.split(".")
    # A series' notes are in the documentation of the series after it too, and 1.4's own will go first.
    documentation = max(f"{major}{minor}", "20")
    return (
        f"https://docs.sqlalchemy.org/en/{documentation}/changelog/"
        f"changelog_{major}{minor}.html#change-{release}"
    )


def count_release(strategy: str, server: Server, *, release: str, python: str | Path) -> CountedRelease:
    """Count one release. Raises as `harness.counts.observe.observe` does."""
    imports = not strategies.get(strategy).inherits
    probes = (*PROBES, MEASURED, *([IMPORTS] if imports else []), MEMORY)
    observation = observe(strategy, server, release=release, python=python, probes=probes)
    counts = count.counts(strategy, observation)
    import_calls = count.functions(observation.probes[IMPORTS]["import_calls"]) if imports else {}
    return CountedRelease(
        counts,
        code=count.code(observation, OWN),
        calls={START: import_calls, **counts.calls},
        collections=measured_collections(observation),
        held=held(observation),
    )


def between(
    releases: tuple[str, str], pythons: tuple[Path, Path], strategy: str, server: Server
) -> Explanation:
    """Count both releases at the same time, which changes no count. Raises as `count_release` does."""
    with ThreadPoolExecutor() as pool:
        before, after = pool.map(
            lambda release, python: count_release(strategy, server, release=release, python=python),
            releases,
            pythons,
        )
    return explain(before, after)


def measured_collections(observation: Observation) -> dict[str, list[int]]:
    """Collections of the worker that is timed elsewhere; engine and first row are one phase here."""
    report = observation.probes[MEASURED]
    started, _, first_row, second_row = report["collections"]
    at_start = report["inherited"] if report["mark"] else [0, 0, 0]
    return count.by_phase([at_start, started, first_row, second_row])


def held(observation: Observation) -> dict[str, int]:
    """Bytes by module, without poolstart's own; code and constants of all modules are one entry."""
    sizes: Counter[str] = Counter()
    for module, size in observation.probes[MEMORY]["held"]:
        sizes[CODE if module.startswith("<frozen importlib") else module] += size
    return {name: size for name, size in sizes.items() if not name.startswith(OWN)}


def explain(before: CountedRelease, after: CountedRelease) -> Explanation:
    """The differences of two releases."""
    common = before.code.keys() & after.code.keys()

    def code(release: CountedRelease, modules: Iterable[str]) -> dict[str, int]:
        return {name: release.code[name] for name in modules}

    return Explanation(
        before=before.counts.release,
        after=after.counts.release,
        strategy=before.counts.strategy,
        python=before.counts.python,
        compiled=(before.counts.c_extensions, after.counts.c_extensions),
        figures=changes(before.counts.figures, after.counts.figures, top=None),
        packages=changes(*(summed(release.code, count.package_of) for release in (before, after)), top=None),
        modules_added=changes({}, code(after, after.code.keys() - common), zero=True),
        modules_left_out=changes(code(before, before.code.keys() - common), {}, zero=True),
        modules_changed=changes(code(before, common), code(after, common)),
        calls_by_module={
            phase: changes(*(summed(release.calls[phase], module_of) for release in (before, after)))
            for phase in PHASES
        },
        calls={phase: changes(before.calls[phase], after.calls[phase]) for phase in PHASES},
        statements_added={
            query: added(before.counts.statements[query], after.counts.statements[query]) for query in QUERIES
        },
        statements_left_out={
            query: added(after.counts.statements[query], before.counts.statements[query]) for query in QUERIES
        },
        held=tuple(
            change
            for change in changes(before.held, after.held)
            if abs(change[2] - change[1]) >= MIN_HELD_CHANGE
        ),
        collections={
            phase: (tuple(numbers), tuple(after.collections[phase]))
            for phase, numbers in before.collections.items()
            if after.collections[phase] != numbers
        },
    )


def changes(
    before: Mapping[str, float],
    after: Mapping[str, float],
    *,
    top: int | None = MAX_ENTRIES,
    zero: bool = False,
) -> tuple[Change, ...]:
    """The entries that differ, largest change first; with `zero` also entries that stayed at 0."""
    differing = [
        (name, number, new_number)
        for name in sorted(before.keys() | after.keys())
        for number, new_number in [(before.get(name, 0), after.get(name, 0))]
        if number != new_number or zero
    ]
    return tuple(sorted(differing, key=lambda change: -abs(change[2] - change[1]))[:top])


def summed(numbers: Mapping[str, int], key: Callable[[str], str]) -> Counter[str]:
    """The sum of the numbers whose names have the same key."""
    sums: Counter[str] = Counter()
    for name, number in numbers.items():
        sums[key(name)] += number
    return sums


def module_of(function: str) -> str:
    """The module of a function `module:qualified name`."""
    return function.partition(":")[0]


def added(before: Iterable[str], after: Iterable[str]) -> tuple[str, ...]:
    """The statements that are more frequent after than before, each on one line."""
    more = Counter(map(one_line, after)) - Counter(map(one_line, before))
    return tuple(more.elements())


def one_line(statement: str) -> str:
    return " ".join(statement.split())

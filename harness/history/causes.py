"""What changed between two releases, for one strategy: the cause of a step.

Everything is counted (`harness.counts.count`), so that it is as true on a busy machine. Bytes that are held
come from `tracemalloc`, which varies by a thousandth.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness import strategies
from harness.counts import count as exact
from harness.counts.count import Counts, Observed
from harness.history.change_point import ReleasePair
from harness.postgres.server import Server
from harness.records import store
from harness.system.structure import structure

PATH = store.path("causes")

MEASURED, IMPORTS, MEMORY = "measured", "imports", "memory"
"""The life that is timed elsewhere, one that counts the calls of its imports, and one whose allocations are
traced."""

TOP = 12
"""Entries of each list that are kept: the largest changes."""

LEAST_HELD = 4096
"""Bytes below which a change of what is held is none."""

CODE = "loaded modules: code and constants"

OURS = ("harness",)
"""How the modules' names begin that are the house's own."""

GENERATIONS = ("young", "middle", "full")

Change = tuple[str, float, float]
"""A name, before and after."""


@dataclass(frozen=True)
class Side:
    """One release, counted."""

    counts: Counts
    code: dict[str, int]
    """Bytes of code objects by module, of those too whose size is the work of an interpreter's build."""
    calls: dict[str, dict[str, int]]
    """By phase and function; of imports too, where the worker has any."""
    collections: dict[str, list[int]]
    """By phase and generation, in the life that is timed elsewhere."""
    held: dict[str, int]
    """Bytes by module."""


@dataclass(frozen=True)
class Explanation:
    """What two neighbours differ in; lists hold the largest changes."""

    before: str
    after: str
    strategy: str
    python: str
    compiled: tuple[bool, bool]
    """Whether SQLAlchemy's C extensions were loaded."""
    figures: tuple[Change, ...]
    """Exact figures that changed."""
    packages: tuple[Change, ...]
    """Bytes of code by package."""
    modules_added: tuple[Change, ...]
    modules_left_out: tuple[Change, ...]
    modules_changed: tuple[Change, ...]
    """Bytes of code of modules."""
    calls_by_module: dict[str, tuple[Change, ...]]
    calls: dict[str, tuple[Change, ...]]
    """By phase: calls of functions."""
    statements_added: dict[str, tuple[str, ...]]
    statements_left_out: dict[str, tuple[str, ...]]
    """By phase."""
    held: tuple[Change, ...]
    """Bytes that are held after the second row, by the module whose line asked for them."""
    collections: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    """By phase: collections by generation, where they changed, in the life that is timed elsewhere."""

    @property
    def changelog(self) -> str:
        return changelog(self.after)

    def work_changed(self, phase: str) -> bool:
        """Whether SQLAlchemy does anything else in a phase."""
        if phase == exact.PHASES[0]:
            others: tuple[Any, ...] = (self.modules_added, self.modules_left_out, self.modules_changed)
        else:
            others = (self.statements_added[phase], self.statements_left_out[phase])
        return any((self.calls[phase], *others))

    @property
    def collector_alone(self) -> tuple[str, ...]:
        """The phases into or out of which a collection moved while SQLAlchemy does the same as before.

        Not the imports of a fork server that preloads: its collections are told, and nobody counts its work.
        """
        preloads = bool(strategies.get(self.strategy).preload)
        return tuple(
            phase
            for phase in self.collections
            if not self.work_changed(phase) and not (preloads and phase == exact.PHASES[0])
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


def observe(strategy: str, server: Server, *, release: str, python: str | Path) -> Side:
    """Count one release. Raises `NotApplicable`, or `Rejected` with the reason."""
    imports = not strategies.get(strategy).inherits
    lives = (*exact.LIVES, MEASURED, *([IMPORTS] if imports else []), MEMORY)
    seen = exact.observe(strategy, server, release=release, python=python, lives=lives)
    counts = exact.counts(strategy, seen)
    calls = {
        exact.PHASES[0]: exact.functions(seen.lives[IMPORTS]["calls"]) if imports else {},
        **counts.calls,
    }
    return Side(counts, exact.code(seen, OURS), calls, measured_collections(seen), held(seen))


def between(
    releases: tuple[str, str], pythons: tuple[Path, Path], strategy: str, server: Server
) -> Explanation:
    """Count both, side by side: what is counted does not mind another beside it. Raises as `observe` does."""
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(
            lambda release, python: observe(strategy, server, release=release, python=python),
            releases,
            pythons,
        )
    return explain(first, second)


def measured_collections(seen: Observed) -> dict[str, list[int]]:
    """Of the life that is timed: engine and first row are one phase here."""
    life = seen.lives[MEASURED]
    started, _, first_row, second_row = life["collections"]
    begun = life["inherited"] if life["mark"] else [0, 0, 0]
    return exact.by_phase([begun, started, first_row, second_row])


def held(seen: Observed) -> dict[str, int]:
    found: Counter[str] = Counter()
    for module, size in seen.lives[MEMORY]["held"]:
        found[CODE if module.startswith("<frozen importlib") else module] += size
    return {name: size for name, size in found.items() if not name.startswith(OURS)}


def explain(first: Side, second: Side) -> Explanation:
    """What the second release does otherwise than the first."""
    before, after = first.counts, second.counts
    queries = exact.PHASES[1:]
    common = first.code.keys() & second.code.keys()
    return Explanation(
        before=before.release,
        after=after.release,
        strategy=before.strategy,
        python=before.python,
        compiled=(before.c_extensions, after.c_extensions),
        figures=changes(before.figures, after.figures, top=None),
        packages=changes(by_package(first.code), by_package(second.code), top=None),
        modules_added=changes(
            {}, {name: second.code[name] for name in second.code.keys() - common}, zero=True
        ),
        modules_left_out=changes(
            {name: first.code[name] for name in first.code.keys() - common}, {}, zero=True
        ),
        modules_changed=changes(
            {name: first.code[name] for name in common}, {name: second.code[name] for name in common}
        ),
        calls_by_module={
            phase: changes(by_module(first.calls[phase]), by_module(second.calls[phase]))
            for phase in exact.PHASES
        },
        calls={phase: changes(first.calls[phase], second.calls[phase]) for phase in exact.PHASES},
        statements_added={
            phase: missing(after.statements[phase], before.statements[phase]) for phase in queries
        },
        statements_left_out={
            phase: missing(before.statements[phase], after.statements[phase]) for phase in queries
        },
        held=tuple(
            change for change in changes(first.held, second.held) if abs(change[2] - change[1]) >= LEAST_HELD
        ),
        collections={
            phase: (tuple(was), tuple(now))
            for phase, was in first.collections.items()
            if (now := second.collections[phase]) != was
        },
    )


def changes(
    before: Mapping[str, float], after: Mapping[str, float], *, top: int | None = TOP, zero: bool = False
) -> tuple[Change, ...]:
    """What is not as before, the largest change first; with `zero` what is there without a size too."""
    found = [
        (name, was, now)
        for name in sorted(before.keys() | after.keys())
        for was, now in [(before.get(name, 0), after.get(name, 0))]
        if was != now or zero
    ]
    return tuple(sorted(found, key=lambda change: -abs(change[2] - change[1]))[:top])


def by_package(code: Mapping[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for module, size in code.items():
        found[exact.package_of(module)] += size
    return found


def by_module(calls: Mapping[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for function, number in calls.items():
        found[function.partition(":")[0]] += number
    return found


def missing(these: Iterable[str], those: Iterable[str]) -> tuple[str, ...]:
    """The statements that are more often among `these`, on a line each."""
    more = Counter(map(one_line, these)) - Counter(map(one_line, those))
    return tuple(more.elements())


def one_line(statement: str) -> str:
    return " ".join(statement.split())


def unexplained(steps: Iterable[ReleasePair], recorded: Iterable[Explanation]) -> list[tuple[str, str, str]]:
    """Releases before and after, and the strategy, of steps of which nothing is on record."""
    known = {(one.before, one.after, one.strategy) for one in recorded}
    found = dict.fromkeys((step.previous, step.release, step.strategy) for step in steps)
    return [one for one in found if one not in known]


def load() -> list[Explanation]:
    """The recorded explanations."""
    if not PATH.exists():
        return []
    with store.reading(PATH, "poolstart explain --record") as rows:
        return structure(list[Explanation], rows)


def record(explanation: Explanation) -> None:
    """Put an explanation beside the others, in the place of an older one of the same."""
    from packaging.version import Version

    def key(one: Explanation) -> tuple[Version, Version, str]:
        return Version(one.before), Version(one.after), one.strategy

    kept = [one for one in load() if key(one) != key(explanation)]
    rows = sorted([*kept, explanation], key=key)
    store.write(PATH, [asdict(one) for one in rows])

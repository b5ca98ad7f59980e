"""The record of instructions: a row for each release, and the causes of each change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from packaging.version import Version

from harness.instructions.count import PHASES, Build, InstructionCount
from harness.records import store
from harness.records.provenance import Provenance

PATH = store.path("instructions")

Change = tuple[str, int, int]
"""A name, its instructions before, and after."""

MIN_CHANGE = 0.005
"""The smallest relative change that is reported."""

MIN_INSTRUCTIONS = 4000
"""The smallest change of one phase that is reported, in instructions: a hundredth of a second query, which
the addresses of objects move by a fifth of that."""

TOTAL = "total"


@dataclass(frozen=True)
class InstructionsRow:
    """The instructions of a worker with one release, by phase."""

    release: str
    phases: dict[str, int]
    lookups: dict[str, int]
    """By phase, and not among the others: see `harness.instructions.callgrind.ProfilePart`."""
    c_extensions: bool
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def total(self) -> int:
        return sum(self.phases.values())

    def instructions(self, phase: str) -> int:
        """Those of a phase, or of all (`TOTAL`)."""
        return self.total if phase == TOTAL else self.phases[phase]

    @classmethod
    def of(cls, count: InstructionCount, provenance: Provenance) -> "InstructionsRow":
        return cls(count.release, count.phases, count.lookups, count.c_extensions, provenance)


@dataclass(frozen=True)
class InstructionsCauses:
    """Where two neighbouring releases differ; lists hold the largest changes."""

    before: str
    after: str
    modules: dict[str, tuple[Change, ...]]
    """By phase: instructions while the import of a module is under way, without the imports within it."""
    functions: dict[str, tuple[Change, ...]]
    """By phase: instructions of C functions of the interpreter and of libraries."""
    calls: dict[str, tuple[Change, ...]]
    """By query: calls of Python functions."""
    provenance: Provenance = field(default_factory=Provenance)


@dataclass(frozen=True)
class InstructionsTable:
    """The record."""

    build: Build
    rows: tuple[InstructionsRow, ...] = ()
    """In version order."""
    causes: tuple[InstructionsCauses, ...] = ()

    def row(self, release: str) -> InstructionsRow | None:
        return next((row for row in self.rows if row.release == release), None)

    def with_row(self, row: InstructionsRow) -> "InstructionsTable":
        """The table with this row in place of an older one."""
        kept = [each for each in self.rows if each.release != row.release]
        return replace(self, rows=tuple(sorted([*kept, row], key=lambda each: Version(each.release))))

    def with_causes(self, causes: InstructionsCauses) -> "InstructionsTable":
        """The table with these causes in place of older ones of the same release."""
        kept = [each for each in self.causes if each.after != causes.after]
        return replace(self, causes=tuple(sorted([*kept, causes], key=lambda each: Version(each.after))))

    def save(self) -> None:
        """Raises `PoolstartError` if it cannot be written."""
        store.save(PATH, self)


@dataclass(frozen=True)
class InstructionsChange:
    """A release that executes more or fewer instructions than the release before it."""

    before: InstructionsRow
    after: InstructionsRow
    phases: tuple[str, ...]
    """The phases that changed, with `TOTAL` if the sum of all did."""

    @property
    def whole(self) -> bool:
        """Whether the sum of all phases changed, and not only a phase."""
        return TOTAL in self.phases

    def ratio(self, phase: str) -> float:
        return self.after.instructions(phase) / self.before.instructions(phase)


def load() -> InstructionsTable | None:
    """The record; None if there is none. Raises `PoolstartError` if it is damaged."""
    return store.load(InstructionsTable, PATH, "poolstart record instructions")


def changes(rows: Sequence[InstructionsRow]) -> list[InstructionsChange]:
    """The changes between neighbours of `rows`, which are in version order; the newest release included."""
    return [
        InstructionsChange(before, after, phases)
        for before, after in pairwise(rows)
        if (phases := tuple(changed_phases(before, after)))
    ]


def changed_phases(before: InstructionsRow, after: InstructionsRow) -> Iterable[str]:
    for phase in (TOTAL, *PHASES):
        old, new = before.instructions(phase), after.instructions(phase)
        if abs(new - old) > max(MIN_CHANGE * old, MIN_INSTRUCTIONS):
            yield phase

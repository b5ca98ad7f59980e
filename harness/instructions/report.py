"""Instructions over the releases, in words: what changed at which release, and by what."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.counts.observe import QUERIES
from harness.instructions import table
from harness.instructions.count import REST
from harness.instructions.table import (
    TOTAL,
    Change,
    InstructionsCauses,
    InstructionsChange,
    InstructionsTable,
)

TITLES = {
    TOTAL: "in all",
    "start": "start",
    "engine": "engine",
    "first_query": "first query",
    "second_query": "second query",
}
"""Phases as columns name them."""

NAMED = 3
"""Modules or functions that a sentence names."""

BLIND = (
    "Instructions do not show time in the kernel, waiting for the server or a disk, caches of the processor, "
    "and garbage collections, which are switched off."
)
"""What instructions cannot show."""


@dataclass(frozen=True)
class ExplainedChange:
    """A change at a release with its causes in sentences."""

    change: InstructionsChange
    causes: tuple[str, ...]

    @property
    def release(self) -> str:
        return self.change.after.release

    @property
    def between(self) -> tuple[str, str]:
        return self.change.before.release, self.change.after.release

    def percent(self, phase: str) -> str:
        """The change of a phase as `+5.6 %`; empty if it is too small to be one."""
        return relative(self.change.ratio(phase)) if phase in self.change.phases else ""


def explained(record: InstructionsTable) -> list[ExplainedChange]:
    """The changes between neighbouring releases of the record, with their causes."""
    causes = {(each.before, each.after): each for each in record.causes}
    return [
        ExplainedChange(
            change,
            tuple(sentences(change, causes.get((change.before.release, change.after.release)))),
        )
        for change in table.changes(record.rows)
    ]


def sentences(change: InstructionsChange, causes: InstructionsCauses | None) -> Iterator[str]:
    """Which modules and functions execute more or fewer instructions, a sentence for each phase."""
    if change.before.c_extensions != change.after.c_extensions:
        yield f"{'with' if change.after.c_extensions else 'without'} C extensions from this release on"
    if causes is None:
        yield "causes are not on record: `poolstart record instructions` looks for them"
        return
    for phase in change.phases:
        if phase == TOTAL:
            continue
        modules = [each for each in causes.modules[phase] if each[0] != REST]
        added = [each for each in modules if not each[1]]
        left_out = [each for each in modules if not each[2]]
        changed = [each for each in modules if each[1] and each[2]]
        calls = causes.calls[phase] if phase in QUERIES else ()
        parts = [
            *named("imports", added),
            *named("no longer imports", left_out),
            *named("changed imports:", changed),
            *([] if modules else named("calls", calls, instructions=False)),
            *named("in C functions", causes.functions[phase]),
        ]
        yield f"{TITLES[phase]} {relative(change.ratio(phase))}: {'; '.join(parts)}"


def named(what: str, changes: Sequence[Change], *, instructions: bool = True) -> Iterator[str]:
    """The largest changes: `imports sqlalchemy.x (+1.2 M) and 3 modules more`."""
    if not changes:
        return
    shown = [
        f"`{name}` ({million(new - old) if instructions else f'{new - old:+d}'})"
        for name, old, new in changes[:NAMED]
    ]
    more = len(changes) - len(shown)
    yield f"{what} {', '.join(shown)}{f' and {more} more' if more else ''}"


def relative(ratio: float) -> str:
    """`+5.6 %` of 1.056, with a minus sign where it is smaller."""
    return f"{(ratio - 1) * 100:+.1f} %".replace("-", "\u2212")


def million(instructions: int) -> str:
    """A number of instructions with its sign: `+1.2 M`, `+12 k`, `+530`."""
    for factor, letter in ((1e6, "M"), (1e3, "k")):
        if abs(instructions) >= factor:
            return f"{instructions / factor:+.{1 if abs(instructions) < 10 * factor else 0}f} {letter}"
    return f"{instructions:+d}"


def as_json(record: InstructionsTable) -> dict[str, Any]:
    """The rows, and the changes with their causes, for `json.dumps`."""
    return {
        "rows": [{**asdict(row), "total": row.total} for row in record.rows],
        "changes": [
            {
                "release": each.release,
                "previous": each.between[0],
                "ratios": {
                    phase: each.change.ratio(phase) for phase in TITLES if phase in each.change.phases
                },
                "causes": list(each.causes),
            }
            for each in explained(record)
        ],
    }

"""The generated page `docs/fleets.md`."""

from collections.abc import Callable
from functools import partial
from statistics import median

from harness.console import markdown
from harness.console.numbers import digits
from harness.fleets import figures
from harness.fleets.figures import FleetFigures, FleetsTable
from harness.records.provenance import measured_later
from harness.system.memory import MIB

INTRODUCTION = """\
# Fleets: many workers at once

A parent with a warm engine starts workers together, as a server does when it begins. Each applies its
strategy, fetches one row, and stays. Times are measured from right before the first start until the last
worker has its row. Memory is that of the whole process tree (parent, fork server, resource tracker and
workers): proportional memory (PSS), in which a page that processes share counts once, and their page tables.
It is read after the first rows, again after each worker has run a full garbage collection, and once more
after each has read the texts of the parent's DataFrame, which only forked workers have. A pool keeps one
connection open in each process, NullPool none. `fork_nodispose` is missing: its workers would use one
connection at the same time.

`poolstart bill --workers 32 --parent-memory 512MiB` computes from these figures what another fleet costs.
"""

PHASES = {
    "first_row": "after the first rows",
    "collect": "after a full garbage collection in each worker",
    "read": "after each worker has read the texts of the DataFrame",
}


def render(table: FleetsTable) -> str:
    """The page `docs/fleets.md`."""
    parts = [
        INTRODUCTION,
        f"Measured {table.provenance}{table.provenance.by}: medians of {len(table.cells[0].last)} parents,"
        f" a fleet each.{measured_later(table.later)}\n",
    ]
    for mib in table.dataframes:
        data = f"with a DataFrame of {mib} MiB in the parent" if mib else "without a DataFrame"
        parts += [
            f"## The last worker has its row, {data}, ms\n",
            sizes(table, mib, lambda cell: digits(median(cell.last) * 1e3)),
            f"## Processor time of the tree until then, {data}, ms\n",
            sizes(table, mib, lambda cell: digits(median(cell.cpu) * 1e3)),
        ]
        for phase, title in PHASES.items():
            if all(phase in cell.pss for cell in table.cells if cell.dataframe_mib == mib):
                parts += [
                    f"## Memory of the tree {title}, {data}, MiB\n",
                    sizes(table, mib, partial(memory, phase=phase)),
                ]
    return "\n".join(parts)


def sizes(table: FleetsTable, mib: int, text: Callable[[FleetFigures], str]) -> str:
    """A table with a row for each strategy and a column for each size of a fleet."""
    counts = sorted({cell.workers for cell in table.cells})
    rows = [[name, *(text(cell) for cell in table.of(name, mib))] for name in table.strategies]
    header = ["strategy", *(f"{count} worker{'s' if count > 1 else ''}" for count in counts)]
    return markdown.table(header, rows, figures=1)


def memory(cell: FleetFigures, phase: str) -> str:
    """The median memory of a tree in a phase, page tables included, in MiB."""
    return digits(figures.memory_of(cell, phase) / MIB)

"""The bill in the terminal, and the generated page `docs/fleets.md`."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from statistics import median

from harness.console import markdown, output, terminal
from harness.console.numbers import digits
from harness.fleets import figures
from harness.fleets.bill import Bill, BillRequest, bills
from harness.fleets.figures import FleetFigures, FleetsTable
from harness.records.provenance import measured_later
from harness.system.memory import MIB

COLUMNS = (
    "strategy", "ready", "memory", "memory_collected", "connections", "start_share", "error",
)  # fmt: skip
"""Of `poolstart bill --csv`, a row a strategy: seconds, bytes and shares."""

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


def write(table: FleetsTable, request: BillRequest, form: str) -> None:
    """Print the bill as `table`, `json`, `csv` or `markdown`."""
    rows = list(bills(table, request))
    content = {
        "request": asdict(request),
        "extrapolated": request.extrapolated(table),
        "measured": asdict(table.provenance),
        "bill": [asdict(row) for row in rows],
    }
    output.write(form, COLUMNS, map(asdict, rows), lambda: show(table, request, rows), content)


def show(table: FleetsTable, request: BillRequest, rows: list[Bill]) -> None:
    header = ["strategy", "all ready, s", "memory, MiB", "after a full\ncollection", "idle connections"]
    if request.task is not None:
        header.append("share of start")
    console = terminal.output()
    terminal.print_table(console, header, list(map(cells, rows)))
    errors = max(row.error for row in rows)
    sentences = [
        f"{request.workers} workers and their parent, with {request.parent_mib:g} MiB of data in the parent;"
        f" a round trip to the server takes {request.distance * 1e3:g} ms more than on loopback.",
        f"From lines through fleets of 1 to {table.largest} workers; the measured medians differ from them"
        f" by {errors:.0%} at most.",
        *(f"Extrapolated: {what} were not measured." for what in request.extrapolated(table)),
        f"Measured {table.provenance}. `poolstart record fleets` measures this machine.",
    ]
    for sentence in sentences:
        terminal.print_text(console, sentence)


def cells(bill: Bill) -> list[str]:
    """A row of the table of `show`."""
    share = [] if bill.start_share is None else [f"{bill.start_share:.1%}"]
    sizes_ = [digits(value / MIB) for value in (bill.memory, bill.memory_collected)]
    return [bill.strategy, digits(bill.ready), *sizes_, str(bill.connections), *share]


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
    parts += ["## As lines\n", LINES, lines(table)]
    return "\n".join(parts)


LINES = """\
For any number of workers: a base, and so much for each worker, fitted to the medians above by least squares
of relative errors. The last column is the largest difference of a median from its line.
"""


def lines(table: FleetsTable) -> str:
    rows = []
    for mib in table.dataframes:
        for name in table.strategies:
            fleets = table.of(name, mib)
            ready = figures.time_of(fleets, "last")
            collected = figures.memory_of(fleets, "collect")
            rows.append(
                [
                    name,
                    f"{mib} MiB" if mib else "none",
                    f"{digits(max(ready.base, 0) * 1e3)} + {digits(ready.each * 1e3)} for each",
                    f"{digits(max(collected.base, 0) / MIB)} + {digits(collected.each / MIB)} for each",
                    f"{max(ready.error, collected.error):.0%}",
                ]
            )
    header = ["strategy", "DataFrame", "all ready, ms", "memory after a collection, MiB", "off by at most"]
    return markdown.table(header, rows)


def sizes(table: FleetsTable, mib: int, text: Callable[[FleetFigures], str]) -> str:
    """A table with a row for each strategy and a column for each size of a fleet."""
    counts = sorted({cell.workers for cell in table.cells})
    rows = [[name, *(text(cell) for cell in table.of(name, mib))] for name in table.strategies]
    header = ["strategy", *(f"{count} worker{'s' if count > 1 else ''}" for count in counts)]
    return markdown.table(header, rows, figures=1)


def memory(cell: FleetFigures, phase: str) -> str:
    """The median memory of a tree in a phase, page tables included, in MiB."""
    return digits(median(map(sum, zip(cell.pss[phase], cell.page_tables[phase], strict=True))) / MIB)

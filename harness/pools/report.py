"""The table of pools in the terminal, and the generated page `docs/pools.md`."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from harness import strategies
from harness.console import markdown, output, terminal
from harness.lifecycles import intervals, metrics
from harness.pools.figures import PoolBehaviour, PoolFigures, PoolsTable
from harness.pools.measure import WORKERS
from harness.records import store
from harness.records.provenance import measured_later
from harness.system.memory import MIB

PATH = store.path("pools")

HEADER = [
    "strategy",
    "workers",
    "first row, ms",
    "last row, ms",
    "`Pool()` returned, ms",
    "unique memory, MiB each",
]

INTRODUCTION = """\
# A pool with an initializer

In most programs the place for a strategy is the initializer of a pool:
`multiprocessing.Pool(n, initializer=...)`. Here the initializer applies the strategy in the worker, and
fetches one row from the server. The parent holds a warm engine. Times are measured from the call of `Pool()`
until the first worker has its row, until the last one has, and until the call returns. Unique memory (USS) is
read while all workers wait for their first task. A pool counts only if its initializer ran exactly once in
each worker. The first pool of each parent is included, although under forkserver it also starts the fork
server. After a full garbage collection forked workers take more, by as much as
[the memory of single workers](results.md) grows.
"""

RAISING = """\
The worker exits, and the pool replaces it, without end. Each worker writes a traceback to its standard error,
but no error reaches `apply` or `map`, which wait forever. The pools measured here were terminated.
"""

REPLACING = """\
Every task runs in a new worker, and every worker runs the initializer: each task pays for an engine and a
connection. The pool creates the later workers in a thread of its own, so under fork they are forked from a
parent with more than one thread.
"""


def load(path: Path = PATH) -> PoolsTable | None:
    """The recorded figures; None if there are none. Raises `PoolstartError` if the file is damaged."""
    return store.load(PoolsTable, path, "poolstart record pools")


COLUMNS = (
    "strategy", "workers", "first_row", "last_row", "pool_returned", "uss", "pools", "reason",
)  # fmt: skip
"""Of `poolstart programs pool --csv`, a row a strategy and size: medians over pools in seconds and bytes."""


def write(table: PoolsTable, form: str) -> None:
    """Print the table as `table`, `json`, `csv` or `markdown`."""
    output.write(form, COLUMNS, records(table), lambda: show(table), asdict(table))


def records(table: PoolsTable) -> Iterator[dict[str, Any]]:
    """A row for each strategy and size, with the keys of `COLUMNS`."""
    for cell in table.cells:
        figures = {
            "first_row": cell.first,
            "last_row": cell.last,
            "pool_returned": cell.blocked,
            "uss": cell.uss,
        }
        yield {
            "strategy": cell.strategy,
            "workers": cell.workers,
            **{name: median(values) if values else None for name, values in figures.items()},
            "pools": len(cell.first),
            "reason": cell.reason,
        }


def show(table: PoolsTable) -> None:
    """Print the table, and how pools behave under each start method."""
    console = terminal.output()
    header = [terminal.fold(title.replace("`", "")) for title in HEADER]
    terminal.print_table(console, header, list(rows(table)), keys=2)
    terminal.print_text(console, caption("pools of this run"))
    for note in notes(table):
        terminal.print_text(console, f"n/a: {note}")
    for behaviour in table.behaviours:
        terminal.print_text(
            console,
            f"{behaviour.start_method}: with an initializer that raises, the pool created"
            f" {behaviour.raising.workers} workers until it was terminated, and its task"
            f" {'ran' if behaviour.raising.ran else 'never ran'};"
            f" with maxtasksperchild=1, {behaviour.replacing.tasks} tasks ran in"
            f" {behaviour.replacing.workers} workers, {behaviour.replacing.initialized} of which ran the"
            " initializer.",
        )


def row(cell: PoolFigures) -> list[str]:
    """A row of the table, under `HEADER`."""
    name = cell.strategy if strategies.get(cell.strategy).safe else f"{cell.strategy} (shares a connection)"
    if cell.reason:
        return [name, str(cell.workers), "n/a", "n/a", "n/a", "n/a"]
    times = (intervals.median_with_interval(values, 1e3) for values in (cell.first, cell.last, cell.blocked))
    return [name, str(cell.workers), *times, memory(cell)]


def memory(cell: PoolFigures) -> str:
    """The unique memory of a worker in MiB; a sample is the median of one pool's workers."""
    pools = [
        median(cell.uss[first : first + cell.workers]) for first in range(0, len(cell.uss), cell.workers)
    ]
    return intervals.median_with_interval(pools, 1 / MIB)


def caption(samples: str) -> str:
    """What ± means where first rows and unique memory are shown, and is between these samples."""
    return intervals.caption((metrics.get("time_to_first_row"), metrics.get("uss")), samples)


def rows(table: PoolsTable) -> list[list[str]]:
    """The rows of the table, in the order of the catalogue."""
    cells = (table.cell(name, workers) for name in strategies.IDS for workers in WORKERS)
    return [row(cell) for cell in cells if cell]


def notes(table: PoolsTable) -> list[str]:
    """Why strategies have no figures, each reason once."""
    return list(dict.fromkeys(cell.reason for cell in table.cells if cell.reason))


def render(table: PoolsTable) -> str:
    """The page `docs/pools.md`."""
    parts = [
        INTRODUCTION,
        f"Measured {table.provenance}{table.provenance.by}: medians of {table.pools} pools of each of"
        f" {table.parents} parents. {caption('pools of this run')}{measured_later(table.later)}\n",
        markdown.table(HEADER, rows(table)),
        *(f"n/a: {reason}.\n" for reason in notes(table)),
        "## An initializer that raises\n",
        RAISING,
        markdown.table(
            ["start method", "workers created by Pool(2) until it was terminated", "task ran"],
            [
                [each.start_method, str(each.raising.workers), "yes" if each.raising.ran else "never"]
                for each in table.behaviours
            ],
        ),
        "## `maxtasksperchild=1`\n",
        REPLACING,
        markdown.table(
            ["start method", "tasks", "workers that ran them", "of these ran the initializer", "forked by"],
            [task_workers(each) for each in table.behaviours],
        ),
    ]
    return "\n".join(parts)


def task_workers(behaviour: PoolBehaviour) -> list[str]:
    """A row of the table of `maxtasksperchild=1`."""
    counts = behaviour.replacing
    forks = (
        f"main thread {counts.forked_by_main}, the pool's thread {counts.forked_by_others} or more"
        if behaviour.start_method == "fork"
        else "not the parent"
    )
    figures = (counts.tasks, counts.workers, counts.initialized)
    return [behaviour.start_method, *map(str, figures), forks]

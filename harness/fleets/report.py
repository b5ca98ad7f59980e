"""The generated page `docs/fleets.md`."""

from collections.abc import Callable
from functools import partial
from statistics import median

from harness.console import markdown
from harness.console.numbers import digits
from harness.fleets import figures
from harness.fleets.figures import PROCESS, FleetFigures, FleetsTable
from harness.records.provenance import measured_later
from harness.system.memory import MIB

INTRODUCTION = """\
# Fleets: many workers at once

A parent with a warm engine starts workers together, as a server does when it begins. Each applies its
strategy, fetches one row, and stays. Times are measured from right before the first start until the last
worker has its row. Memory is that of the whole process tree (parent, fork server, resource tracker and
workers): proportional memory (PSS), in which a page that processes share counts once, and their page tables.
It is read after the first rows, again after each worker has run a full garbage collection, and once more
after each has read the texts of the parent's DataFrame, which only forked workers have. Processor time of the
server is that of all its processes; of those that have ended, as with NullPool, the kernel has it in steps of
10 ms, so with few workers it is too low. `fork_nodispose` is missing: its workers would use one connection at
the same time.

`poolstart bill --workers 32 --parent-memory 512MiB` computes from these figures what another fleet costs.

## Connections, and what users see when there are too few

A pool keeps one connection open in each process, so that N workers and their parent hold N + 1 until they
end; NullPool holds none while it is idle. An ordinary role gets `max_connections` less
`superuser_reserved_connections` and `reserved_connections`, 97 of 100 by default. The next worker gets an
`OperationalError`: `FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute`,
or `FATAL: sorry, too many clients already` ([max_connections](hazards.md#max_connections)). Retrying helps
only if others give connections back: with NullPool they do so after each checkout, with a pool when they end
([curves](curves.md#stampede)).
"""

PHASES = {
    "first_row": "after the first rows",
    "collect": "after a full garbage collection in each worker",
    "read": "after each worker has read the texts of the DataFrame",
}

POOL_TITLE = "A pool with an initializer, or an executor"

POOL = f"""\
## {POOL_TITLE}

In most programs the initializer of a pool is the place for a strategy: `Pool(n, initializer=...)` runs it
once in each worker. Two things differ from processes that a program starts itself:

- An initializer that raises ends its worker, and the pool replaces it, without end. Each worker prints a
  traceback, but no error reaches `apply` or `map`, which wait forever. A `ProcessPoolExecutor` raises
  `BrokenProcessPool`.
- With `maxtasksperchild=1` every task runs in a new worker, and every worker runs the initializer: each task
  pays for an engine and a connection. The pool starts the later workers in a thread of its own, so under fork
  they are forked from a parent with more than one thread ([hazards](hazards.md#inherited_lock)).
"""

STARTERS = {
    "pool": "`multiprocessing.Pool`",
    "executor": "`ProcessPoolExecutor`",
    "celery": "Celery's prefork pool",
}

STARTED = """\
The time until the last worker has its row, which the initializer fetches, in ms. A pool and an executor start
the same processes by the same start methods, and make queues besides.
"""

CELERY = """\
Celery's pool is made as its worker makes it for Redis and RabbitMQ, and each process fetches its row on the
signal `worker_process_init`. Before each fork the pool collects garbage, which blocks the parent and leaves
all but the last worker with a copy of its heap. What `celery worker` does before it makes the pool is not in
these times; [programs](programs.md) has them from the call of the command on.
"""

TIMES = {
    "first": "The first worker has its row",
    "last": "The last worker has its row",
    "blocked": "Starting them blocks the parent",
    "cpu": "Processor time of the tree until the last row",
    "server_cpu": "Processor time of the server until the last row",
}
"""Figures in seconds, with the title of their table."""


def render(table: FleetsTable) -> str:
    """The page `docs/fleets.md`."""
    numbers = sorted({len(cell.last) for cell in table.cells})
    parents = " to ".join(dict.fromkeys(map(str, (numbers[0], numbers[-1]))))
    further = "".join(
        f"; {each.date[:16].replace('T', ' ')}"
        f"{f' with {each.frames}' if each.frames != table.provenance.frames else ''}{each.by}"
        for each in table.further
    )
    parts = [
        INTRODUCTION,
        f"Measured {table.provenance}{table.provenance.by}{further}: medians of {parents} parents,"
        f" a fleet each.{measured_later(table.later)}\n",
    ]
    for mib in table.dataframes:
        data = f"with a DataFrame of {mib} MiB in the parent" if mib else "without a DataFrame"
        cells = [cell for cell in table.cells if (cell.dataframe_mib, cell.starter) == (mib, PROCESS)]
        for name, title in TIMES.items():
            if all(getattr(cell, name) for cell in cells):
                parts += [f"## {title}, {data}, ms\n", sizes(table, mib, partial(ms, name=name))]
        for phase, title in PHASES.items():
            if all(phase in cell.pss for cell in cells):
                parts += [
                    f"## Memory of the tree {title}, {data}, MiB\n",
                    sizes(table, mib, partial(memory, phase=phase)),
                ]
        parts += [
            f"## Page tables in this memory, after the first rows, {data}, MiB\n",
            sizes(table, mib, tables),
        ]
    parts.append(POOL)
    if any(cell.starter != PROCESS for cell in table.cells):
        by_celery = any(cell.starter == "celery" for cell in table.cells)
        started = (PROCESS, *STARTERS)
        parts += [
            STARTED,
            *([CELERY] if by_celery else []),
            sizes(table, 0, partial(ms, name="last"), started),
            "Memory of the tree after the first rows, MiB:\n",
            sizes(table, 0, partial(memory, phase="first_row"), started),
        ]
    return "\n".join(parts)


def sizes(
    table: FleetsTable,
    mib: int,
    text: Callable[[FleetFigures], str],
    starters: tuple[str, ...] = (PROCESS,),
) -> str:
    """A table with a row for each strategy and starter, and a column for each size of a fleet."""
    counts = sorted({cell.workers for cell in table.cells})
    rows = [
        [
            f"{name}{f', {STARTERS[starter]}' if starter in STARTERS else ''}",
            *(text(by_size[count]) if count in by_size else "" for count in counts),
        ]
        for name in table.strategies
        for starter in starters
        if (by_size := {cell.workers: cell for cell in table.of(name, mib, starter)})
        # What others start is compared with the same strategy's processes.
        and (len(starters) == 1 or any(table.of(name, mib, other) for other in starters[1:]))
    ]
    header = ["strategy", *(f"{count} worker{'s' if count > 1 else ''}" for count in counts)]
    return markdown.table(header, rows, figures=1)


def ms(cell: FleetFigures, name: str) -> str:
    return digits(median(getattr(cell, name)) * 1e3)


def memory(cell: FleetFigures, phase: str) -> str:
    """The median memory of a tree in a phase, page tables included, in MiB."""
    return digits(figures.memory_of(cell, phase) / MIB)


def tables(cell: FleetFigures) -> str:
    return digits(median(cell.page_tables["first_row"]) / MIB)

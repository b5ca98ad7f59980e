"""Pools, as a table in the terminal and as the page `docs/pools.md`, which is never edited by hand."""

from dataclasses import asdict
from pathlib import Path
from statistics import quantiles

from harness import strategies
from harness.console import markdown, terminal
from harness.lifecycles.samples import spread
from harness.pools.measure import WORKERS, Behaviour, Measured, Table
from harness.records import store
from harness.system.environment import ROOT
from harness.system.memory import MIB
from harness.system.structure import structure

PATH, PAGE = store.path("pools"), ROOT / "docs" / "pools.md"

HEADER = ["strategy", "workers", "first row, ms", "last row, ms", "`Pool()` returned, ms", "unique MiB each"]

INTRODUCTION = """\
# A pool with an initializer

`multiprocessing.Pool(n, initializer=...)` is how most programs meet the cure. Here each strategy's own first
step stands in the initializer, followed by one row from the server: the parent holds a warm engine, and the
clock runs from the call of `Pool()` until the first, and until the last, of its workers has its row. Unique
memory is read from outside while all workers wait for their first task. The initializer ran once in each
worker, or the pool would not count. The first pool of a parent is among them: there forkserver boots its
server.
"""


def load(path: Path = PATH) -> Table | None:
    """What is recorded; nothing before the first time."""
    if not path.exists():
        return None
    with store.reading(path, "poolstart pools --save") as fields:
        return structure(Table, fields)


def save(table: Table, path: Path) -> None:
    """Record the figures."""
    store.write(path, asdict(table))


def show(table: Table) -> None:
    """The table in the terminal, and what no figure tells."""
    console = terminal.output()
    header = [terminal.folded(title.replace("`", "")) for title in HEADER]
    terminal.show(console, header, list(rows(table)), keys=2)
    for note in notes(table):
        terminal.say(console, f"n/a: {note}")
    for behaviour in table.behaviours:
        terminal.say(
            console,
            f"{behaviour.start_method}: a raising initializer made {behaviour.raising['workers']} workers,"
            f" and its task was {'run' if behaviour.raising['ran'] else 'never run'};"
            f" with maxtasksperchild=1 {behaviour.replacing['tasks']} tasks took"
            f" {behaviour.replacing['workers']} workers, each with its own run of the initializer.",
        )


def cells(cell: Measured) -> list[str]:
    name = cell.strategy if strategies.get(cell.strategy).safe else f"{cell.strategy} (not safe)"
    if cell.reason:
        return [name, str(cell.workers), "n/a", "n/a", "n/a", "n/a"]
    times = (shown(values, 1e3) for values in (cell.first, cell.last, cell.blocked))
    return [name, str(cell.workers), *times, shown(cell.uss, 1 / MIB)]


def shown(values: tuple[float, ...] | tuple[int, ...], factor: float) -> str:
    """A median ± half the interquartile range."""
    if len(values) < 2:
        return spread(values[0], values[0], values[0], factor)
    low, median, high = quantiles(values, n=4, method="inclusive")
    return spread(low, median, high, factor)


def rows(table: Table) -> list[list[str]]:
    found = (table.cell(name, workers) for name in strategies.IDS for workers in WORKERS)
    return [cells(cell) for cell in found if cell]


def notes(table: Table) -> list[str]:
    """Why there are no figures of a strategy, each reason once."""
    return list(dict.fromkeys(cell.reason for cell in table.cells if cell.reason))


def render(table: Table) -> str:
    parts = [
        INTRODUCTION,
        f"Measured {table.setting}, by `poolstart pools --save records/pools.json`: medians ± half the"
        f" interquartile range of {table.pools} pools of each of {table.parents} parents.\n",
        markdown.table(HEADER, rows(table)),
        *(f"n/a: {reason}.\n" for reason in notes(table)),
        "## An initializer that raises\n",
        "The worker ends, and the pool replaces it: for ever. Each writes a traceback to its standard error,"
        " but no error reaches `apply` or `map`, which wait. The pools here were ended by force.\n",
        markdown.table(
            ["start method", "workers that Pool(2) made before it was ended", "its task was run"],
            [
                [each.start_method, str(each.raising["workers"]), "yes" if each.raising["ran"] else "never"]
                for each in table.behaviours
            ],
        ),
        "## `maxtasksperchild=1`\n",
        "Every task gets a worker of its own, and every worker runs the initializer: each task pays for an"
        " engine and a connect. The pool makes the later workers in a thread of its own, so under fork they"
        " are forked from a parent that has threads, whatever it did before.\n",
        markdown.table(
            ["start method", "tasks", "workers that ran them", "of these ran the initializer", "forks by"],
            [replaced(each) for each in table.behaviours],
        ),
    ]
    return "\n".join(parts)


def replaced(each: Behaviour) -> list[str]:
    seen = each.replacing
    forks = (
        f"main thread {seen['forked_by_main']}, pool's thread {seen['forked_by_others']} or more"
        if each.start_method == "fork"
        else "not the parent"
    )
    return [each.start_method, *(str(seen[name]) for name in ("tasks", "workers", "initialized")), forks]

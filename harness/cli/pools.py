"""`poolstart pools`: what `multiprocessing.Pool(initializer=...)` costs with each strategy."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from harness import strategies
from harness.outside import pools as measuring
from harness.postgres import locate
from harness.shown import pools as page

console = Console(highlight=False)


def pools(
    parents: Annotated[int, typer.Option(min=1, help="Parent programs of each strategy and size.")] = (
        measuring.PARENTS
    ),
    each: Annotated[
        int, typer.Option("--pools", min=1, help="Pools of each parent, one after another.")
    ] = measuring.POOLS,
    save: Annotated[
        Path | None, typer.Option(help="Record the figures there as JSON, and the page of them beside it.")
    ] = None,
) -> None:
    """Time pools of 2 and 8 workers whose initializer makes the engine usable; about two minutes."""
    turns = parents * len(strategies.IDS) * len(measuring.WORKERS)
    with locate.server() as server, Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=turns)
        table = measuring.measure_all(
            server, parents, each, lambda what: progress.update(task, description=what, advance=1)
        )
    shown = Table(box=SIMPLE_HEAD)
    for number, title in enumerate(page.HEADER):
        shown.add_column(title.replace("`", ""), justify="right" if number else "left")
    for row in page.rows(table):
        shown.add_row(*row)
    console.print(shown)
    for note in page.notes(table):
        console.print(f"n/a: {note}")
    for behaviour in table.behaviours:
        console.print(
            f"{behaviour.start_method}: a raising initializer made {behaviour.raising['workers']} workers,"
            f" and its task was {'run' if behaviour.raising['ran'] else 'never run'};"
            f" with maxtasksperchild=1 {behaviour.replacing['tasks']} tasks took"
            f" {behaviour.replacing['workers']} workers, each with its own run of the initializer."
        )
    if save:
        page.save(table, save)

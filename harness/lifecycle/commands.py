"""`poolstart measure`: the figures of a few strategies at once, in the terminal."""

from dataclasses import replace
from statistics import quantiles
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from harness import strategies
from harness.lifecycle import profile as profiles
from harness.lifecycle.cell import DATAFRAMES, Cell, NotApplicable, Rejected
from harness.lifecycle.memory import MIB
from harness.lifecycle.samples import Lifecycle, samples
from harness.lifecycle.supervisor import measure
from harness.postgres import locate

TIMES = {
    "startup": "startup",
    "first_query": "first query",
    "time_to_first_row": "first row",
    "second_query": "second query",
    "first_worker": "first worker",
    "exit": "exit",
}
MEMORY = {"uss": "unique", "pss": "proport."}

console = Console(highlight=False)


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[STRATEGY]...", help="Ids of the catalogue, or package.module:NAME."),
    ] = None,
    dataframe: Annotated[
        str, typer.Option(help="What is resident in the parent: none, large or both.")
    ] = "both",
) -> None:
    """Measure strategies now, with the profile of POOLSTART_PROFILE; nothing is stored."""
    if dataframe not in (*DATAFRAMES, "both"):
        raise typer.BadParameter(f"{dataframe} is none of none, large, both")
    profile = profiles.current()
    if names:
        profile = replace(profile, strategies=profiles.known(names, "poolstart measure"))
    cells = [
        Cell(name, setting)
        for setting in (DATAFRAMES if dataframe == "both" else (dataframe,))
        for name in profile.strategies
    ]
    failures = []
    with locate.server() as server, Progress(console=console, transient=True) as progress:
        table = _table(server.identity, profile)
        task = progress.add_task("", total=len(cells))
        for cell in cells:
            progress.update(task, description=str(cell))
            try:
                table.add_row(*_row(cell, measure(cell, server, profile)))
            except NotApplicable as reason:
                table.add_row(cell.strategy, cell.dataframe, f"n/a: {reason}")
            except Rejected as error:
                failures.append(str(error))
                table.add_row(cell.strategy, cell.dataframe, "failed")
            progress.advance(task)
    console.print(table)
    for failure in failures:
        console.print(f"poolstart: {failure}")
    if failures:
        raise typer.Exit(1)


def _table(server: str, profile: profiles.Profile) -> Table:
    table = Table(
        title=f"medians ± half the interquartile range of {profile.parents} x {profile.workers} workers, "
        f"large is {profile.dataframe_mib} MiB, {server}",
        caption="times in ms, memory in MiB; * not safe: see `poolstart hazards`",
    )
    table.add_column("strategy", no_wrap=True)
    table.add_column("dataframe")
    for title in (*TIMES.values(), *MEMORY.values()):
        table.add_column(title, justify="right")
    return table


def _row(cell: Cell, lives: list[Lifecycle]) -> list[str]:
    star = "" if strategies.get(cell.strategy).safe else " *"
    return [
        cell.strategy + star,
        cell.dataframe,
        *(_spread(samples(lives, metric), 1e3) for metric in TIMES),
        *(_spread(samples(lives, metric), 1 / MIB) for metric in MEMORY),
    ]


def _spread(values: list[float], factor: float) -> str:
    if len(values) == 1:
        return f"{values[0] * factor:.1f}"
    low, median, high = quantiles(values, n=4, method="inclusive")
    return f"{median * factor:.1f} ±{(high - low) / 2 * factor:.1f}"

"""`poolstart measure`: the figures of a few strategies at once, in the terminal."""

from statistics import quantiles
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from harness import strategies
from harness.outside import profile as profiles
from harness.outside import supervisor
from harness.outside.cell import DATAFRAMES, Cell, NotApplicable, Rejected
from harness.outside.samples import Lifecycle, samples, spread
from harness.postgres import locate
from harness.system.memory import MIB

COLUMNS = {
    "time_to_first_row": ("first row", 1e3),
    "startup": ("= startup", 1e3),
    "first_query": ("+ query", 1e3),
    "second_query": ("second", 1e3),
    "uss": ("MiB", 1 / MIB),
}
"""By metric: title, and the factor that makes milliseconds or MiB of a sample."""

console = Console(highlight=False)


def measure(
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
    chosen = profiles.known(names, "poolstart measure") if names else profile.strategies
    settings = DATAFRAMES if dataframe == "both" else (dataframe,)
    failures: list[Rejected] = []
    tables = []
    with locate.server() as server, Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=len(settings) * len(chosen))
        for setting in settings:
            table = Table(title=f"dataframe {setting}", box=box.SIMPLE_HEAD)
            table.add_column("strategy", no_wrap=True)
            for title, _ in COLUMNS.values():
                table.add_column(title, justify="right", no_wrap=True)
            for name in chosen:
                cell = Cell(name, setting)
                progress.update(task, description=str(cell))
                try:
                    table.add_row(*_row(cell, supervisor.measure(cell, server, profile)))
                except NotApplicable as reason:
                    table.add_row(name, "n/a", str(reason))
                except Rejected as error:
                    failures.append(error)
                    table.add_row(name, "failed")
                progress.advance(task)
            tables.append(table)
    console.print(*tables, sep="\n")
    console.print(
        f"Medians ± half the interquartile range of {profile.parents} x {profile.workers} workers: "
        "milliseconds to the first row, its two parts, a second query; MiB of unique memory. "
        f"Large is {profile.dataframe_mib} MiB. Server: {server.identity}. "
        "* is not safe: see `poolstart hazards`."
    )
    for failure in failures:
        console.print(f"poolstart: {failure}")
    if failures:
        raise typer.Exit(1)


def _row(cell: Cell, lives: list[Lifecycle]) -> list[str]:
    star = "" if strategies.get(cell.strategy).safe else " *"
    figures = (_spread(samples(lives, metric), factor) for metric, (_, factor) in COLUMNS.items())
    return [cell.strategy + star, *figures]


def _spread(values: list[float], factor: float) -> str:
    low, median, high = quantiles(values, n=4, method="inclusive")
    return spread(low, median, high, factor)

"""`poolstart measure`: the figures of a few strategies at once, in the terminal."""

from importlib import metadata
from statistics import median
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from harness import strategies
from harness.outside import plan
from harness.outside import profile as profiles
from harness.outside.blocks import Measured
from harness.outside.cell import DATAFRAMES, Cell, NotApplicable, Rejected
from harness.outside.samples import spread
from harness.postgres import locate
from harness.system import memory
from harness.system.errors import PoolstartError
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
    memory.require()
    cells = [Cell(name, setting) for setting in settings for name in chosen]
    with locate.server() as server, console.status("starting") as status:
        measured = plan.measure(
            cells, server, profile, release=metadata.version("sqlalchemy"), report=status.update
        )
    if len(measured.not_applicable) == len(cells):
        raise PoolstartError(f"nothing can be measured here: {next(iter(measured.not_applicable.values()))}")
    reasons: list[str] = []
    for setting in settings:
        table = Table(title=f"dataframe {setting}", box=box.SIMPLE_HEAD)
        table.add_column("strategy", no_wrap=True)
        for title, _ in COLUMNS.values():
            table.add_column(title, justify="right", no_wrap=True)
        for name in chosen:
            try:
                table.add_row(*_row(measured, Cell(name, setting)))
            except NotApplicable as reason:
                table.add_row(name, "n/a")
                reasons.append(f"{name}: {reason}")
            except Rejected:
                table.add_row(name, "failed")
        console.print(table)
    console.print(
        f"Medians ± half their range over {len(measured.counted())} parents: "
        "milliseconds to the first row, its two parts, a second query; MiB of unique memory. "
        f"Large is {profile.dataframe_mib} MiB. Server: {server.identity}. "
        "* is not safe: see `poolstart hazards`."
    )
    for told in dict.fromkeys(reasons):
        console.print(f"n/a: {told}")
    if measured.noisy:
        console.print(f"noisy: {measured.noisy}")
    for failure in measured.rejected.values():
        console.print(f"poolstart: {failure}")
    if measured.rejected:
        raise typer.Exit(1)


def _row(measured: Measured, cell: Cell) -> list[str]:
    star = "" if strategies.get(cell.strategy).safe else " *"
    figures = (_spread(measured.samples(cell, metric), factor) for metric, (_, factor) in COLUMNS.items())
    return [cell.strategy + star, *figures]


def _spread(values: list[float], factor: float) -> str:
    return spread(min(values), median(values), max(values), factor)

"""`poolstart results`: the measured answer."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.outside.cell import DATAFRAMES

console = Console(highlight=False)


def results(
    release: Annotated[
        str | None, typer.Argument(help="A SQLAlchemy release; by default the newest measured one.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write README.md's tables and picture.")] = False,
) -> None:
    """Show what `asv run` has measured: medians ± half the interquartile range."""
    # Most of a second, because of asv: only this command pays for it.
    from harness.shown import report as reporting
    from harness.shown.site import picture

    if write:
        reporting.write_readme()
        picture.write()
        return
    for report in reporting.reports(release):
        for dataframe in DATAFRAMES:
            table = Table(title=reporting.TITLES[dataframe], caption=report.conditions)
            for number, title in enumerate(reporting.header()):
                table.add_column(title, justify="right" if number > 2 else "left", no_wrap=number == 0)
            for row in reporting.rows(report, dataframe):
                table.add_row(*(cell.strip("`*") for cell in row))
            console.print(table)

"""`poolstart results`: the measured answer."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import complete
from harness.cli.options import formatted


@formatted
def results(
    release: Annotated[
        str | None,
        typer.Argument(
            help="A SQLAlchemy release; by default the newest measured one.",
            autocompletion=complete.releases,
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every series: other machines, servers and Pythons as well.")
    ] = False,
    folder: Annotated[Path | None, typer.Option("--results", help="A folder of asv's results.")] = None,
    form: str = "table",
) -> None:
    """Show what `asv run` has measured.

    It shows one of several series, and says which in the first line: this
    machine comes before others, Python 3.11 before others, and the embedded
    server before others. `poolstart strategies --driver NAME` shows those of
    other drivers.

    --csv has a row a figure: sqlalchemy, server, machine, python, date,
    strategy, dataframe, metric, unit, median, low, high, q25, q75. low and
    high are the 99 % interval of the median.
    """
    # Most of a second, because of asv: only this command pays for it.
    from harness.answer import results_report
    from harness.answer.figures import answers
    from harness.system.environment import ROOT

    measured = answers.of_release(release, folder or ROOT / "results")
    results_report.print_results(answers.own_first(measured), form, everything)

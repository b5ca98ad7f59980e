"""`poolstart results`: the measured answer."""

from typing import Annotated

import typer

from harness.cli.options import AsCsv, AsJson, chosen_format


def results(
    release: Annotated[
        str | None, typer.Argument(help="A SQLAlchemy release; by default the newest measured one.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show what `asv run` has measured: medians ± half the interquartile range.

    --csv has a row a figure: sqlalchemy, server, machine, date, strategy,
    dataframe, metric, unit, median, q25, q75.
    """
    form = chosen_format(as_json, as_csv)
    # Most of a second, because of asv: only this command pays for it.
    from harness.answer import results as answer
    from harness.answer import results_report

    results_report.print_results(answer.of_release(release), form)

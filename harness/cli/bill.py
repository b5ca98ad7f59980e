"""`poolstart bill`: what a fleet of workers costs under each strategy, from fleets on record."""

from typing import Annotated

import typer

from harness.cli.options import AsCsv, AsJson, AsMarkdown, chosen_format


def bill(
    workers: Annotated[int, typer.Option(min=1, max=100_000, help="Workers that run at the same time.")],
    parent_memory: Annotated[str, typer.Option(help="Data in the parent: 512MiB, 4GiB.")] = "0MiB",
    data: Annotated[
        str,
        typer.Option(
            help="What they are: dataframe, numbers (on huge pages), numbers_ordinary, arrow, objects."
        ),
    ] = "dataframe",
    distance: Annotated[
        str, typer.Option(help="A round trip to the server: 5ms. Figures were taken on loopback.")
    ] = "0ms",
    task: Annotated[
        str | None, typer.Option(help="How long a worker works before it ends: 200ms, 10s, 5min.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Estimate a fleet's time until ready, memory and connections; measures nothing.

    Computed from records/fleets.json and records/curves.json, which
    `poolstart record fleets` and `poolstart record curves` measure.
    """
    form = chosen_format(as_json, as_csv, as_markdown)
    from harness.curves import bill as fleet_bill
    from harness.curves import bill_report, curve
    from harness.fleets import figures
    from harness.system.errors import PoolstartError

    request = fleet_bill.BillRequest(
        workers,
        fleet_bill.parse(parent_memory, fleet_bill.UNITS, "512MiB"),
        data,
        fleet_bill.parse(distance, fleet_bill.TIMES, "5ms"),
        fleet_bill.parse(task, fleet_bill.TIMES, "200ms") if task else None,
    )
    table = figures.load()
    if table is None:
        raise PoolstartError("no fleets are on record", "measure them with `poolstart record fleets`")
    bill_report.write(fleet_bill.coefficients(table, curve.load()), table.provenance, request, form)

"""`poolstart bill`: what a fleet of workers costs under each strategy, from fleets on record."""

from typing import Annotated

import typer

from harness.cli import complete
from harness.cli.options import DRIVERS, formatted


@formatted
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
    task: Annotated[str | None, typer.Option(help="How long a task takes: 200ms, 10s, 5min.")] = None,
    tasks: Annotated[
        int,
        typer.Option(
            min=1, help="Tasks of a worker before it is replaced: `max_tasks_per_child`, `--max-requests`."
        ),
    ] = 1,
    driver: Annotated[
        str, typer.Option(help=f"{', '.join(DRIVERS)}.", autocompletion=complete.of(DRIVERS))
    ] = DRIVERS[0],
    pooler: Annotated[
        bool, typer.Option("--pooler", help="PgBouncer is in front of the server, in transaction mode.")
    ] = False,
    form: str = "table",
) -> None:
    """Estimate a fleet's time until ready, memory and connections; measures nothing.

    Computed from records/fleets.json, records/curves.json, records/drivers.json and records/poolers.json,
    which `poolstart record fleets`, `curves`, `drivers` and `poolers` measure.
    """
    from harness.curves import bill as fleet_bill
    from harness.curves import bill_report, curve, outcomes
    from harness.fleets import figures
    from harness.system.errors import PoolstartError

    request = fleet_bill.BillRequest(
        workers,
        fleet_bill.parse(parent_memory, fleet_bill.UNITS, "512MiB"),
        data,
        fleet_bill.parse(distance, fleet_bill.TIMES, "5ms"),
        fleet_bill.parse(task, fleet_bill.TIMES, "200ms") if task else None,
        tasks,
        driver,
        pooler,
    )
    if tasks > 1 and not task:
        raise PoolstartError("--tasks means nothing without --task", "give the length of a task as well")
    table = figures.load()
    if table is None:
        raise PoolstartError("no fleets are on record", "measure them with `poolstart record fleets`")
    curves = curve.load()
    known = fleet_bill.on_record(table, curves)
    tested = outcomes.tested(curves, known, request)
    bill_report.write(known, table.provenance, request, form, tested)

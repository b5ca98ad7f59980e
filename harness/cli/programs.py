"""`poolstart programs`: real programs that start workers, as their users run them."""

from dataclasses import asdict
from typing import Annotated

import typer

from harness.cli.options import AsJson

POOL = "pool"
"""The name of `multiprocessing.Pool` among the programs."""


def programs(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these: celery for example, or pool."),
    ] = None,
    as_json: AsJson = False,
    hosts: Annotated[
        int,
        typer.Option(
            min=1, max=2, help="Hosts to spread their workers over: network namespaces, as root, on Linux."
        ),
    ] = 1,
) -> None:
    """Time executors, servers and task queues until their workers have rows, with and without the hook.

    `pool` is multiprocessing.Pool with an initializer. Packages are installed when a program is first
    measured; all programs take a few minutes.
    """
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness.console import terminal
    from harness.console.progress import progress
    from harness.pools import report as pools_report
    from harness.pools.measure import measure_here as measure_pools
    from harness.programs import report as programs_report
    from harness.programs.measure import measure_here as measure_programs

    selected = [name for name in names or () if name != POOL]
    with progress("starting") as report:
        pools = measure_pools(report) if POOL in (names or ()) else None
        measured = measure_programs(selected, hosts, report) if selected or not names else None
    if as_json:
        tables = [table for table in (pools, measured) if table]
        terminal.print_json(asdict(tables[0]) if len(tables) == 1 else [asdict(table) for table in tables])
        return
    if pools:
        pools_report.show(pools)
    if measured:
        programs_report.show(measured)

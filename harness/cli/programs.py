"""`poolstart programs`: real programs that start workers, as their users run them."""

from dataclasses import asdict
from typing import Annotated

import typer

from harness.cli import complete
from harness.cli.options import exclude, formatted

POOL = "pool"
"""The name of `multiprocessing.Pool` among the programs."""


@formatted
def programs(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Only these: celery for example, or pool.",
            autocompletion=complete.programs,
        ),
    ] = None,
    form: str = "table",
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
    selected = [name for name in names or () if name != POOL]
    if form == "csv" and POOL in (names or ()):
        exclude("the CSV of pool, which has columns of its own,", {"other programs": selected})
    if hosts > 1 and names and not selected:
        exclude(POOL, {"--hosts": True})
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness.console import terminal
    from harness.console.progress import progress
    from harness.pools import report as pools_report
    from harness.pools.measure import measure_here as measure_pools
    from harness.programs import report as programs_report
    from harness.programs.measure import measure_here as measure_programs

    with progress("starting") as report:
        pools = measure_pools(report) if POOL in (names or ()) else None
        measured = measure_programs(selected, hosts, report) if selected or not names else None
    if form == "json" and pools and measured:
        terminal.print_json([asdict(pools), asdict(measured)])
        return
    if pools:
        pools_report.write(pools, form)
    if measured:
        programs_report.write(measured, form)

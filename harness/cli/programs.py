"""`poolstart programs`: real programs that start workers, as their users run them."""

from typing import Annotated

import typer

from harness.cli import complete
from harness.cli.options import formatted


@formatted
def programs(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Only these: celery for example.",
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

    Packages are installed when a program is first measured; all programs take a few minutes.
    """
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness.console.progress import progress
    from harness.programs import report as programs_report
    from harness.programs.measure import measure_here

    with progress("starting") as report:
        measured = measure_here(names or (), hosts, report)
    programs_report.write(measured, form)

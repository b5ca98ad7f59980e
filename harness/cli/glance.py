"""`poolstart` by itself: the answer within a minute."""

import time

import typer


def glance() -> None:
    """Measure all strategies for less than a minute, and say what to choose."""
    began = time.monotonic()
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness.answer import quick as glance
    from harness.answer import quick_report as shown
    from harness.console.progress import progress
    from harness.lifecycles import profile
    from harness.postgres import locate

    chosen = profile.current("quick")
    with progress("starting PostgreSQL") as report, locate.server() as server:
        measured = glance.measure(server, chosen, report, began=began)
    shown.tell(measured, chosen)
    if measured.rejected:
        raise typer.Exit(1)

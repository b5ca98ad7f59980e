"""`poolstart` by itself: the answer within a minute."""

import time

import typer


def quick(form: str) -> None:
    """Measure all strategies for less than a minute, and recommend one; `form` is `table`, `json` ..."""
    began = time.monotonic()
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness.answer import quick, quick_report
    from harness.console.progress import progress
    from harness.lifecycles import profile as profiles
    from harness.postgres import locate

    profile = profiles.current("quick")
    with progress("starting PostgreSQL") as report, locate.server(pooler=True) as server:
        measured = quick.measure(server, profile, report, began=began)
    quick_report.write(measured, profile, form, server.title)
    if measured.rejected:
        raise typer.Exit(1)

"""`poolstart pools`: what `multiprocessing.Pool(initializer=...)` costs with each strategy."""

from pathlib import Path
from typing import Annotated

import typer


def pools(
    parents: Annotated[int, typer.Option(min=1, help="Parent programs of each strategy and size.")] = 3,
    each: Annotated[int, typer.Option("--pools", min=1, help="Pools of each parent, one after another.")] = 4,
    save: Annotated[Path | None, typer.Option(help="Record the figures there as JSON.")] = None,
) -> None:
    """Time pools of 2 and 8 workers whose initializer makes the engine usable; about two minutes."""
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness.console.progress import progress
    from harness.pools import measure as measuring
    from harness.pools import report as shown
    from harness.postgres import locate

    with progress("starting PostgreSQL") as report, locate.server() as server:
        table = measuring.measure_all(server, parents, each, report)
    shown.show(table)
    if save:
        shown.save(table, save)

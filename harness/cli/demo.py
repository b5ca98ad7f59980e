"""`poolstart demo`: a small program as people write it, run as it stands or cured."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from harness.system.errors import PoolstartError


def demo(
    name: Annotated[
        str | None, typer.Argument(help="Number or name of a demo; without it they are listed.")
    ] = None,
    start_method: Annotated[
        str | None, typer.Option(help="fork, forkserver or spawn; with --repeat, all of them by default.")
    ] = None,
    cured: Annotated[bool, typer.Option("--cured", help="Run the cured program.")] = False,
    source: Annotated[bool, typer.Option("--source", help="Show the program instead of running it.")] = False,
    repeat: Annotated[
        int, typer.Option(min=0, help="Run it so many times, as it stands and cured, and count.")
    ] = 0,
    load: Annotated[bool, typer.Option("--load", help="Keep every core but one busy meanwhile.")] = False,
    release: Annotated[
        str | None, typer.Option(help="Run it with this SQLAlchemy release, in an environment of its own.")
    ] = None,
) -> None:
    """Run a program that goes wrong, or its cure; exit status 1 if it does not end as expected."""
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness.demos import catalogue, report, runner
    from harness.demos.repeat import repeat as repetitions
    from harness.postgres import locate
    from harness.processes import load as loads

    if start_method not in (None, *catalogue.START_METHODS):
        raise PoolstartError(
            f"no start method {start_method!r}", f"known are {', '.join(catalogue.START_METHODS)}"
        )
    chosen = [catalogue.get(name)] if name else list(catalogue.CATALOGUE)
    python: str | Path = sys.executable
    if release:
        # Half a second, because of asv: only --release pays for it.
        from harness.releases import interpreters
        from harness.releases.catalogue import listed

        python = interpreters.of_release(listed(release))
    if source and name:
        report.show_source(chosen[0])
    elif repeat:
        methods = [start_method] if start_method else list(catalogue.START_METHODS)
        surprises, began = 0, time.monotonic()
        with loads.all_but_one(load) as busy, locate.server() as server:
            for repetition in repetitions(chosen, methods, repeat, server, python):
                typer.echo(report.line(repetition))
                surprises += repetition.surprising
        typer.echo(f"{busy} cores kept busy, {time.monotonic() - began:.0f} s")
        raise typer.Exit(1 if surprises else 0)
    elif name:
        method = start_method or "fork"
        story = report.StoryPrinter(chosen[0], method, cured)
        with locate.server() as server:
            run = runner.run(chosen[0], method, cured, server, story.event, python=python)
        story.end(run)
        raise typer.Exit(0 if run.end is chosen[0].expected(method, cured) else 1)
    else:
        report.show_list()

"""`poolstart exhibit`: a small program as people write it, run as it stands or cured."""

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from harness.system.errors import PoolstartError


def exhibit(
    name: Annotated[
        str | None, typer.Argument(help="Number or name of an exhibit; without it they are listed.")
    ] = None,
    start_method: Annotated[
        str | None, typer.Option(help="fork, forkserver or spawn; with --repeat, all of them without it.")
    ] = None,
    cured: Annotated[bool, typer.Option("--cured", help="Run the cured program.")] = False,
    source: Annotated[bool, typer.Option("--source", help="Show the program instead of running it.")] = False,
    repeat: Annotated[
        int,
        typer.Option(min=0, help="Run it so many times, as it stands and cured, and count."),
    ] = 0,
    load: Annotated[bool, typer.Option("--load", help="Keep every core but one busy meanwhile.")] = False,
    record: Annotated[
        bool,
        typer.Option("--record", help="With --repeat, keep in records/demos.json what came out the same."),
    ] = False,
    release: Annotated[
        str | None, typer.Option(help="Run it with this SQLAlchemy release, in an environment of its own.")
    ] = None,
) -> None:
    """Run a program that goes wrong, or its cure; exit status 1 when it does not end as expected."""
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness.demos import catalogue, expected, report, runner
    from harness.demos.repeat import repeat as repetitions
    from harness.postgres import locate
    from harness.processes import load as loads
    from harness.records.provenance import Provenance

    if start_method not in (None, *catalogue.START_METHODS):
        raise PoolstartError(
            f"no start method {start_method!r}", f"known are {', '.join(catalogue.START_METHODS)}"
        )
    if record and not repeat:
        raise PoolstartError("--record keeps what came out the same many times", "give --repeat too")
    chosen = [catalogue.get(name)] if name else list(catalogue.CATALOGUE)
    python: str | Path = sys.executable
    if release:
        # Half a second, because of asv: only who asks for a release pays for it.
        from harness.releases import interpreters
        from harness.releases.catalogue import listed

        python = interpreters.of_release(listed(release))
    if source and name:
        report.show_source(chosen[0])
    elif repeat:
        methods = [start_method] if start_method else list(catalogue.START_METHODS)
        surprises, began = 0, time.monotonic()
        with loads.all_but_one(load) as busy, locate.server() as server:
            provenance = Provenance.here(server.identity)
            provenance = replace(provenance, release=release or provenance.release)
            for repetition in repetitions(chosen, methods, repeat, server, python):
                typer.echo(report.line(repetition))
                surprises += repetition.surprising
                if record:
                    expected.add(repetition, provenance, busy)
        typer.echo(f"{busy} cores kept busy, {time.monotonic() - began:.0f} s")
        raise typer.Exit(1 if surprises else 0)
    elif name:
        one, method = chosen[0], start_method or "fork"
        story = report.StoryPrinter(one, method, cured)
        with locate.server() as server:
            demo_run = runner.run(one, method, cured, server, story.event, python=python)
        story.end(demo_run)
        raise typer.Exit(0 if demo_run.end is one.expected(method, cured) else 1)
    else:
        report.show_list()

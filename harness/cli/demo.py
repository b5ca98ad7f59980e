"""`poolstart demo`: a small program as people write it, run as it stands or cured."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import complete
from harness.cli.options import exclude, formatted
from harness.system.errors import PoolstartError


@formatted
def demo(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Number or name of a demo; without it they are listed.", autocompletion=complete.demos
        ),
    ] = None,
    start_method: Annotated[
        str | None,
        typer.Option(
            help="fork, forkserver or spawn; with --repeat, all of them by default.",
            autocompletion=complete.of(("fork", "forkserver", "spawn")),
        ),
    ] = None,
    cured: Annotated[bool, typer.Option("--cured", help="Run the cured program.")] = False,
    source: Annotated[bool, typer.Option("--source", help="Show the program instead of running it.")] = False,
    repeat: Annotated[
        int, typer.Option(min=0, help="Run it so many times, as it stands and cured, and count.")
    ] = 0,
    load: Annotated[bool, typer.Option("--load", help="Keep every core but one busy meanwhile.")] = False,
    release: Annotated[
        str | None,
        typer.Option(
            help="Run it with this SQLAlchemy release, in an environment of its own.",
            autocompletion=complete.releases,
        ),
    ] = None,
    form: str = "table",
) -> None:
    """Run a program that goes wrong, or its cure; exit status 1 if it does not end as expected."""
    refuse(name, start_method, cured, source, repeat, load, release, form)
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
        counted, began = [], time.monotonic()
        with loads.all_but_one(load) as busy, locate.server() as server:
            for repetition in repetitions(chosen, methods, repeat, server, python):
                counted.append(repetition)
                if form == "table":
                    typer.echo(report.line(repetition))
        if form == "table":
            typer.echo(f"{busy} cores kept busy, {time.monotonic() - began:.0f} s")
        else:
            report.write_repetitions(counted, form)
        surprises = sum(repetition.surprising for repetition in counted)
        raise typer.Exit(1 if surprises else 0)
    elif name:
        method = start_method or "fork"
        story = report.StoryPrinter(chosen[0], method, cured)
        with locate.server() as server:
            run = runner.run(chosen[0], method, cured, server, story.event, python=python)
        story.end(run)
        raise typer.Exit(0 if run.end is chosen[0].expected(method, cured) else 1)
    else:
        report.write_list(form)


def refuse(
    name: str | None,
    start_method: str | None,
    cured: bool,
    source: bool,
    repeat: int,
    load: bool,
    release: str | None,
    form: str,
) -> None:
    """Raise PoolstartError for a combination of arguments that means nothing."""
    running = {"--start-method": start_method, "--load": load, "--release": release}
    if source:
        exclude("--source", {**running, "--repeat": repeat, f"--{form}": form != "table"})
    if repeat:
        exclude("--repeat, which runs both,", {"--cured": cured})
    elif name:
        exclude("a single run", {"--load": load, f"--{form}": form != "table"})
    else:
        exclude("the list of demos, which is shown without NAME,", {**running, "--cured": cured})
    if source and not name:
        raise PoolstartError("--source shows one demo", "name it")

"""`poolstart demo`: a small program that goes wrong, run as written or cured."""

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
            help="fork, forkserver or spawn; by default fork.",
            autocompletion=complete.of(("fork", "forkserver", "spawn")),
        ),
    ] = None,
    cured: Annotated[bool, typer.Option("--cured", help="Run the cured program.")] = False,
    source: Annotated[bool, typer.Option("--source", help="Show the program instead of running it.")] = False,
    form: str = "table",
) -> None:
    """Run a program that goes wrong, or its cure; exit status 1 if it does not end as expected."""
    running = {"--start-method": start_method, "--cured": cured}
    if name is None:
        exclude("the list of demos, which is shown without NAME,", {**running, "--source": source})
    else:
        exclude("a single demo", {f"--{form}": form != "table"})
    if source:
        exclude("--source", running)
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness.demos import catalogue, report, runner
    from harness.postgres import locate

    if name is None:
        report.write_list(form)
        return
    shown, method = catalogue.get(name), start_method or "fork"
    if method not in catalogue.START_METHODS:
        raise PoolstartError(f"no start method {method!r}", f"known are {', '.join(catalogue.START_METHODS)}")
    if source:
        report.show_source(shown)
        return
    story = report.StoryPrinter(shown, method, cured)
    with locate.server() as server:
        run = runner.run(shown, method, cured, server, story.event)
    story.end(run)
    raise typer.Exit(0 if run.end is shown.expected(method, cured) else 1)

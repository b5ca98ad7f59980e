"""`poolstart pages`: README.md's regions, the pages of docs/ and the figures, from results/ and records/."""

from typing import Annotated

import typer

from harness.cli import complete


def pages(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PAGE]...",
            help="Only these, docs/hazards.md for example.",
            autocompletion=complete.pages,
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; list what is out of date, with exit status 1.")
    ] = False,
) -> None:
    """Generate README.md's tables, the pages in docs/ and the figures; measures nothing."""
    # A second to import, asv and scipy among it: only this command pays for it.
    from harness.console import terminal
    from harness.site import derived
    from harness.system.errors import PoolstartError

    known = [each.path for each in derived.DERIVED]
    chosen = tuple(names or ())
    for name in chosen:
        if name not in known:
            raise PoolstartError(f"{name} is not a generated page", f"choose from {', '.join(known)}")
    count = 0
    for page, text in derived.outdated(chosen):
        count += 1
        if check:
            typer.echo(f"{page.path} is out of date")
        else:
            derived.write(page, text)
            typer.echo(f"written: {page.path}")
    if check and count:
        terminal.print_text(terminal.errors(), "Run `poolstart pages`.")
        raise typer.Exit(1)
    if not count:
        typer.echo("all pages are up to date")

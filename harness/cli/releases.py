"""`poolstart releases`: the list of releases that can be measured."""

from typing import Annotated

import typer

from harness.cli.options import before, formatted
from harness.releases.catalogue import PATH, Catalogue, catalogue
from harness.system.environment import ROOT

RESULTS = ROOT / "results"
"""Where asv keeps results, see asv.conf.json."""

app = typer.Typer(help="The SQLAlchemy releases that can be measured.", invoke_without_command=True)


@app.callback()
@formatted
def show(context: typer.Context, form: str = "table") -> None:
    """Show every release with its date, and whether there are results for it."""
    if context.invoked_subcommand is not None:
        before(context.invoked_subcommand, form)
        return
    # asv and the index client take most of a second to import: only these commands pay for them.
    from harness.console import output, terminal
    from harness.releases import stored

    measured = {result.commit_hash for _, result in stored.results(RESULTS)}
    rows = [
        {
            "release": release.version,
            "date": f"{release.date:%Y-%m-%d}",
            "results": "measured" if release.hash in measured else "",
        }
        for release in catalogue().releases
    ]
    columns = list(rows[0])
    output.write(
        form,
        rows,
        lambda: terminal.print_table(
            terminal.output(), columns, [list(row.values()) for row in rows], left=len(columns)
        ),
    )


@app.command(epilog="Example: poolstart releases update")
def update(
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Print only each new release, after the one before it.")
    ] = False,
) -> None:
    """Add new releases from the package index; removes none, because results may depend on it."""
    from harness.releases import index

    known = Catalogue.load(PATH)
    extended = known.extended(index.releases())
    new = [release for release in extended.releases if known.position(release.version) is None]
    if new:
        extended.save(PATH)
    if pairs:
        for release in new:
            # In version order, the one before is of the same series, or the last of the series before.
            before = extended.releases[max(0, extended.releases.index(release) - 1)]
            typer.echo(f"{before.version} {release.version}")
        return
    for release in new:
        typer.echo(f"added {release.version} of {release.date:%Y-%m-%d}")
    typer.echo(f"{len(new)} new, {len(extended.releases)} in all; the newest is {extended.newest.version}")

"""`poolstart releases`: the list of releases that can be measured."""

import typer
from rich.console import Console
from rich.table import Table

from harness.releases.catalogue import PATH, Catalogue, catalogue
from harness.system.environment import ROOT

RESULTS = ROOT / "results"
"""Where asv keeps results, see asv.conf.json."""

app = typer.Typer(help="The SQLAlchemy releases that can be measured.", invoke_without_command=True)


@app.callback()
def default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        show()


@app.command("list")
def show() -> None:
    """Show every release with its date, and whether there are results of it."""
    # asv and the index client take most of a second to import: only these commands pay for them.
    from harness.releases import stored

    measured = {result.commit_hash for _, result in stored.results(RESULTS)}
    table = Table("release", "date", "results")
    for release in catalogue().releases:
        table.add_row(
            release.version, f"{release.date:%Y-%m-%d}", "measured" if release.hash in measured else ""
        )
    Console().print(table)


@app.command()
def update() -> None:
    """Add new releases from the package index; none is ever taken away, results may depend on it."""
    from harness.releases import index

    known = Catalogue.load(PATH)
    extended = known.extended(index.releases())
    new = [release for release in extended.releases if known.position(release.version) is None]
    if new:
        extended.save(PATH)
    console = Console()
    for release in new:
        console.print(f"added {release.version} of {release.date:%Y-%m-%d}")
    console.print(f"{len(new)} new, {len(extended.releases)} in all; the newest is {extended.newest.version}")

"""The command line: `poolstart`. One module a command."""

import sys

from harness.system import interrupts

# Before what takes its time to import, where this is the program and not a test's import of it.
if sys.argv[0].endswith("/poolstart"):
    interrupts.first_counts()

import typer

from harness.cli import (
    claims,
    compare,
    exhibit,
    hazards,
    history,
    measure,
    noise,
    pools,
    postgres,
    releases,
    results,
    steps,
    strategies,
    verdicts,
)
from harness.system.errors import PoolstartError

app = typer.Typer(
    help="What each way of starting workers costs a Python program with a SQLAlchemy pool.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(measure.measure)
app.command()(hazards.hazards)
app.command()(exhibit.exhibit)
app.command()(pools.pools)
app.command()(results.results)
app.command()(compare.compare)
app.command()(verdicts.verdicts)
app.command()(history.history)
app.command()(steps.steps)
app.command()(noise.noise)
app.command()(claims.claims)
app.command()(strategies.strategies)
app.add_typer(releases.app, name="releases")
app.add_typer(postgres.app, name="postgres")


@app.callback()
def poolstart() -> None:
    """Measure with `asv run`; see here what the suite knows besides."""


def main() -> None:
    """Run a command; an error the user can mend is one line and exit status 2."""
    interrupts.first_counts()
    try:
        app()
    except PoolstartError as error:
        print(f"poolstart: {error}", file=sys.stderr)
        sys.exit(2)

"""The command line: `poolstart`. One module a command."""

import sys

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
    verdicts,
)
from harness.system.errors import PoolstartError, refused

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
app.add_typer(releases.app, name="releases")
app.add_typer(postgres.app, name="postgres")


@app.callback()
def poolstart() -> None:
    """Measure with `asv run`; see here what the suite knows besides."""


def main() -> None:
    """Run a command; an error the user can mend is one line and exit status 2."""
    try:
        app()
    except Exception as error:
        told = mendable(error)
        if told is None:
            raise
        print(f"poolstart: {told}", file=sys.stderr)
        sys.exit(2)


def mendable(error: Exception) -> PoolstartError | None:
    """The error as its user reads it; None where only the program can be mended."""
    if isinstance(error, PoolstartError):
        return error
    if isinstance(error, OSError):
        return refused(error)
    # Its own errors of this kind are lines for a user too. Where it was not imported, none is.
    asv = sys.modules.get("asv.util")
    return PoolstartError(str(error)) if asv and isinstance(error, asv.UserError) else None

"""The command line: `poolstart`. Each room brings its own commands."""

import sys

import typer

from harness.errors import PoolstartError
from harness.hazards import commands as hazards
from harness.lifecycle import commands as lifecycle
from harness.postgres import commands as postgres
from harness.releases import commands as releases
from harness.site import commands as site

app = typer.Typer(
    help="What each way of starting workers costs a Python program with a SQLAlchemy pool.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(postgres.app, name="postgres")
app.add_typer(releases.app, name="releases")
app.command()(hazards.hazards)


app.command("measure")(lifecycle.command)
app.command("results")(site.results)


@app.callback()
def poolstart() -> None:
    """Measure with `asv run`; see here what the suite knows besides."""


def main() -> None:
    """Run a command; an error the user can mend is one line and exit status 2."""
    try:
        app()
    except PoolstartError as error:
        print(f"poolstart: {error}", file=sys.stderr)
        sys.exit(2)

"""The command line: `poolstart`. One module a command."""

import sys
from collections.abc import Callable
from typing import Annotated, Any

from harness.processes import interrupts

# Before the slow imports, so that Ctrl-C works during them. A test that imports this module keeps its own
# handler.
if sys.argv[0].endswith("/poolstart"):
    interrupts.first_counts()

import typer
from typer.core import TyperGroup

from harness.cli import (
    bill,
    changes,
    compare,
    demo,
    doctor,
    explain,
    hazards,
    measure,
    pages,
    postgres,
    programs,
    quick,
    record,
    releases,
    renamed,
    results,
    strategies,
)
from harness.cli.options import AsCsv, AsJson, AsMarkdown, before, chosen_format
from harness.system.errors import PoolstartError, no_thread, os_error_hint

NOW, READ, RECORD = "Find out now", "Read what has been measured", "Measure for the record"

COMMANDS: dict[str, tuple[str, Callable[..., None] | typer.Typer, str]] = {
    "doctor": (NOW, doctor.doctor, "poolstart doctor 4711 --stacks"),
    "measure": (NOW, measure.measure, "poolstart measure --strategy fork_dispose --strategy spawn"),
    "hazards": (NOW, hazards.hazards, "poolstart hazards wrong_answer --strategy fork_nodispose"),
    "demo": (NOW, demo.demo, "poolstart demo 3 --start-method fork"),
    "programs": (NOW, programs.programs, "poolstart programs gunicorn celery"),
    "compare": (NOW, compare.compare, "poolstart compare 2.0.58 2.1.9 --strategy spawn"),
    "explain": (NOW, explain.explain, "poolstart explain 1.4.54 2.0.0 --strategy spawn"),
    "results": (READ, results.results, "poolstart results 2.0.58"),
    "bill": (READ, bill.bill, "poolstart bill --workers 32 --parent-memory 4GiB --task 200ms"),
    "changes": (READ, changes.changes, "poolstart changes --json"),
    "strategies": (READ, strategies.strategies, "poolstart strategies fork_dispose"),
    "releases": (READ, releases.app, "poolstart releases update"),
    "postgres": (RECORD, postgres.app, "poolstart postgres up"),
    "record": (RECORD, record.record, "poolstart record hazards --only wrong_answer"),
    "pages": (RECORD, pages.pages, "poolstart pages --check"),
}
"""By name, in the order in which a newcomer needs them: heading in the help, command and example."""


class InOrder(TyperGroup):
    """Lists the commands in the order of `COMMANDS`; Typer would list groups first."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if not ctx.resilient_parsing:  # which is how a shell asks for completions
            renamed.check(args)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=InOrder,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: poolstart",
)
for name, (heading, command, example) in COMMANDS.items():
    epilog = f"Example: {example}"
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, rich_help_panel=heading, epilog=epilog)
    else:
        app.command(name, rich_help_panel=heading, epilog=epilog)(command)


def show_version(shown: bool) -> None:
    """Print the versions of poolstart, and of what it measures by default."""
    if shown:
        from importlib import metadata
        from platform import python_version

        versions = f"SQLAlchemy {metadata.version('sqlalchemy')}, Python {python_version()}"
        typer.echo(f"poolstart {metadata.version('poolstart')} ({versions})")
        raise typer.Exit


@app.callback()
def poolstart(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=show_version)
    ] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """What each way of starting workers costs a Python program with a SQLAlchemy pool.

    Without a command: measure all of them for less than a minute, and say what to choose.
    """
    if context.invoked_subcommand is None:
        quick.quick(chosen_format(as_json, as_csv, as_markdown))
    else:
        before(context.invoked_subcommand, as_json, as_csv, as_markdown)


def main() -> None:
    """Run a command. An error that the user can fix is printed as one line, with exit status 2."""
    interrupts.first_counts()
    try:
        app()
    except Exception as error:
        user_error = as_user_error(error)
        if user_error is None:
            raise
        print(f"poolstart: {user_error}", file=sys.stderr)
        sys.exit(2)


def as_user_error(error: Exception) -> PoolstartError | None:
    """The error in one line for the user; None if it is a fault of the program."""
    if isinstance(error, PoolstartError):
        return error
    if isinstance(error, OSError):
        return os_error_hint(error)
    if found := no_thread(error):
        return found
    # asv's own errors for users are lines, too. If asv was not imported, it has not raised any.
    asv = sys.modules.get("asv.util")
    return PoolstartError(str(error)) if asv and isinstance(error, asv.UserError) else None

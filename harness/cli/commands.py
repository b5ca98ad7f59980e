"""The list of commands, and their help."""

from collections.abc import Callable
from typing import Annotated, Any

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
    results,
    strategies,
)
from harness.cli.options import before, formatted

NOW, READ, RECORD = "Find out now", "Read what has been measured", "Measure for the record"

PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
"""The settings of a command that reads its arguments itself."""


def examine(context: typer.Context) -> None:
    doctor.run(context.args)


examine.__doc__ = doctor.SUMMARY

COMMANDS: dict[str, tuple[str, Callable[..., None] | typer.Typer, str]] = {
    "doctor": (NOW, examine, doctor.EXAMPLE),
    "measure": (NOW, measure.measure, "poolstart measure --strategy fork_dispose --strategy spawn"),
    "hazards": (NOW, hazards.hazards, "poolstart hazards wrong_answer --strategy fork_nodispose"),
    "demo": (NOW, demo.demo, "poolstart demo 3 --start-method fork"),
    "programs": (NOW, programs.programs, "poolstart programs gunicorn celery"),
    "compare": (NOW, compare.compare, "poolstart compare 2.0.58 2.1.9 --strategy spawn"),
    "explain": (NOW, explain.explain, "poolstart explain 1.4.54 2.0.0 --strategy spawn"),
    "results": (READ, results.results, "poolstart results 2.0.58"),
    "bill": (READ, bill.bill, "poolstart bill --workers 32 --parent-memory 512MiB --distance 5ms"),
    "changes": (READ, changes.changes, "poolstart changes --json"),
    "strategies": (READ, strategies.strategies, "poolstart strategies fork_dispose"),
    "releases": (READ, releases.app, "poolstart releases update"),
    "postgres": (RECORD, postgres.app, "poolstart postgres up"),
    "record": (RECORD, record.record, "poolstart record hazards --only wrong_answer"),
    "pages": (RECORD, pages.pages, "poolstart pages --check"),
}
"""Heading in the help, command and example by name, in the order in which a newcomer needs them."""


class InOrder(TyperGroup):
    """Lists the commands in the order of `COMMANDS`; Typer would list groups first."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)


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
        settings = PASSED_ON if command is examine else None
        app.command(name, rich_help_panel=heading, epilog=epilog, context_settings=settings)(command)


def show_version(shown: bool) -> None:
    """Print the versions of poolstart, and of what it measures by default."""
    if shown:
        from importlib import metadata
        from platform import python_version

        versions = f"SQLAlchemy {metadata.version('sqlalchemy')}, Python {python_version()}"
        typer.echo(f"poolstart {metadata.version('poolstart')} ({versions})")
        raise typer.Exit


@app.callback()
@formatted
def poolstart(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=show_version)
    ] = False,
    form: str = "table",
) -> None:
    """What each way of starting workers costs a Python program with a SQLAlchemy pool.

    Without a command: measure all of them for less than a minute, and say what to choose.
    """
    if context.invoked_subcommand is None:
        quick.quick(form)
    else:
        before(context.invoked_subcommand, form)

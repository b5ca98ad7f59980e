"""`poolstart programs`: real programs that start workers, as their users run them."""

from collections.abc import Sequence
from typing import Annotated

import typer

from harness.cli.options import AsJson
from harness.system.errors import PoolstartError


def programs(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these, celery for example.")
    ] = None,
    as_json: AsJson = False,
    record: Annotated[bool, typer.Option("--record", help="Record it, and write docs/programs.md.")] = False,
) -> None:
    """Time executors, servers and task queues until their workers have rows, with and without the hook.

    What a program needs is fetched when it is first measured; all of them take a few minutes.
    """
    if record and names:
        raise PoolstartError("what is recorded is all programs", "leave out their names, or --record")
    measure(names or [], as_json=as_json, record=record)


def measure(names: Sequence[str], *, as_json: bool = False, record: bool = False) -> None:
    """Measure these programs, or all, and show them."""
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness.outside import programs as measuring
    from harness.outside.record import Setting
    from harness.postgres import locate
    from harness.releases.programs import python_of
    from harness.shown import programs as shown
    from harness.shown import terminal

    chosen = [measuring.get(name) for name in dict.fromkeys(names or measuring.known())]
    with terminal.doing("starting") as report:
        pythons = []
        for program in chosen:
            report(f"{program.name}: its packages")
            pythons.append(python_of(program))
        with locate.server() as server:
            measured = [
                measuring.measure(program, python, server, seen=report)
                for program, python in zip(chosen, pythons, strict=True)
            ]
            table = measuring.Table(Setting.here(server), measuring.RUNS, tuple(measured))
    if as_json:
        print(table.to_json(), end="")
    else:
        shown.show(table)
    if record:
        shown.save(table, shown.PATH)

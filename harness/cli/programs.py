"""`poolstart programs`: real programs that start workers, as their users run them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from harness.cli.options import AsJson
from harness.system.errors import PoolstartError


def programs(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these, celery for example.")
    ] = None,
    as_json: AsJson = False,
    hosts: Annotated[
        int,
        typer.Option(
            min=1,
            max=2,
            help="Spread their workers over so many, which are network namespaces: as root, Linux.",
        ),
    ] = 1,
    record: Annotated[bool, typer.Option("--record", help="Record it.")] = False,
) -> None:
    """Time executors, servers and task queues until their workers have rows, with and without the hook.

    What a program needs is fetched when it is first measured; all of them take a few minutes.
    """
    if record and (names or hosts > 1):
        raise PoolstartError(
            "what is recorded is all programs, on one host and on two",
            "leave out NAME and --hosts, or --record",
        )
    measure(names or [], hosts=(1, 2) if record else (hosts,), as_json=as_json, record=record)


def measure(
    names: Sequence[str], *, hosts: Sequence[int] = (1,), as_json: bool = False, record: bool = False
) -> None:
    """Measure these programs, or all, with their workers on so many hosts, and show them."""
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness.console import terminal
    from harness.console.progress import progress
    from harness.programs import report as shown
    from harness.programs import setup
    from harness.programs.figures import ProgramsTable
    from harness.programs.measure import RUNS
    from harness.programs.measure import measure as measure_program
    from harness.records.provenance import Provenance

    chosen = [(number, setup.select(names, number)) for number in hosts]
    measured = []
    with progress("starting") as report:
        for program in dict.fromkeys(program for _, programs in chosen for program in programs):
            report(f"{program.name}: its packages")
            setup.interpreter(program)
        for number, programs in chosen:
            with setup.server(number) as server:
                provenance = Provenance.here(server.identity)
                measured += [
                    measure_program(
                        setup.ProgramSetup(program, setup.interpreter(program), server, number),
                        progress=report,
                    )
                    for program in programs
                ]
        table = ProgramsTable(provenance, RUNS, tuple(measured))
    if as_json:
        terminal.print_json(asdict(table))
    else:
        shown.show(table)
    if record:
        shown.save(table, shown.PATH)

"""`poolstart exhibit`: a small program as people write it, run as it stands or cured."""

import os
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.cli.hazards import BUSY
from harness.exhibits import catalogue
from harness.exhibits.catalogue import START_METHODS, Exhibit
from harness.inside.trial.story import Event
from harness.outside import exhibits
from harness.postgres import locate
from harness.system.custody import Custody
from harness.system.errors import PoolstartError

console = Console(highlight=False)


def exhibit(
    name: Annotated[
        str | None, typer.Argument(help="Number or name of an exhibit; without it they are listed.")
    ] = None,
    start_method: Annotated[
        str | None, typer.Option(help="fork, forkserver or spawn; with --repeat, all of them without it.")
    ] = None,
    cured: Annotated[bool, typer.Option("--cured", help="Run the cured program.")] = False,
    source: Annotated[bool, typer.Option("--source", help="Show the program instead of running it.")] = False,
    repeat: Annotated[
        int,
        typer.Option(min=0, help="Run it so many times, as it stands and cured, and count."),
    ] = 0,
    load: Annotated[bool, typer.Option("--load", help="Keep every core but one busy meanwhile.")] = False,
    release: Annotated[
        str | None, typer.Option(help="Run it with this SQLAlchemy release, in an environment of its own.")
    ] = None,
) -> None:
    """Run a program that goes wrong, or its cure; exit status 1 when it does not end as expected."""
    if start_method not in (None, *START_METHODS):
        raise PoolstartError(f"no start method {start_method!r}", f"known are {', '.join(START_METHODS)}")
    chosen = [catalogue.get(name)] if name else list(catalogue.CATALOGUE)
    python = interpreter(release) if release else Path(sys.executable)
    if source and name:
        console.print(exhibits.source(chosen[0]), end="", markup=False, soft_wrap=True)
    elif repeat:
        count(chosen, [start_method] if start_method else list(START_METHODS), repeat, load, python)
    elif name:
        show(chosen[0], start_method or "fork", cured, python)
    else:
        listed()


def listed() -> None:
    table = Table("", "name", "what it shows", "as it stands", box=None)
    for each in catalogue.CATALOGUE:
        ends = ", ".join(f"{method}: {each.expected(method, False)}" for method in START_METHODS)
        table.add_row(str(each.number), each.name, f"{each.title}. {each.shows}", ends)
    console.print(table)


def interpreter(release: str) -> Path:
    """The interpreter that has a release of the catalogue."""
    # Half a second, because of asv: only who asks for a release pays for it.
    from harness.releases import catalogue as releases
    from harness.releases import history

    known = releases.catalogue()
    position = known.position(release)
    if position is None:
        raise PoolstartError(f"no release {release!r}", "`poolstart releases` lists them")
    return history.interpreter(known.releases[position].version)


def show(one: Exhibit, start_method: str, cured: bool, python: Path) -> None:
    console.print(f"[bold]{one.number}. {one.title}[/bold] ({start_method}{', cured' if cured else ''})\n")
    console.print(f"{one.cure if cured else one.shows}\n")

    def told(event: Event) -> None:
        console.print(f"[cyan]{event.who:>6}[/cyan]  ", end="")
        console.print(event.what, markup=False, soft_wrap=True)

    with locate.server() as server:
        seen = exhibits.run(one, start_method, cured, server, told, python=python)
    expected = one.expected(start_method, cured)
    console.print(f"\nIt ended: {seen.end}, after {seen.seconds:.1f} s.")
    if seen.end is not expected:
        console.print(f"poolstart: expected was: {expected}\n{seen.errors}", markup=False)
        raise typer.Exit(1)


def count(chosen: list[Exhibit], methods: list[str], repeat: int, load: bool, python: Path) -> None:
    """How often each program ended as expected and told what it always tells."""
    busy = (os.cpu_count() or 1) - 1 if load else 0
    surprises = 0
    began = time.monotonic()
    with ExitStack() as stack:
        custody = stack.enter_context(Custody())
        server = stack.enter_context(locate.server())
        for _ in range(busy):
            custody.start([sys.executable, "-c", BUSY])
        for each in chosen:
            for method in methods:
                for cured in (False, True):
                    seen = [exhibits.run(each, method, cured, server, python=python) for _ in range(repeat)]
                    ends = Counter((one.end, exhibits.gist(one)) for one in seen)
                    agreed = sum(n for (end, _), n in ends.items() if end is each.expected(method, cured))
                    alike = max(ends.values())
                    surprises += agreed < repeat or alike < repeat
                    console.print(
                        f"{each.number} {each.name:<16} {method:<10} {'cured' if cured else '':<5}"
                        f"  as expected {agreed} of {repeat}, the same story {alike} of {repeat}"
                    )
    console.print(f"{busy} cores kept busy, {time.monotonic() - began:.0f} s")
    raise typer.Exit(1 if surprises else 0)

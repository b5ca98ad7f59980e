"""`poolstart exact`: what repeats exactly, and what a server far away adds."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

console = Console(highlight=False)


def exact(
    release: Annotated[str | None, typer.Argument(help="A listed release; by default the newest.")] = None,
    strategy: Annotated[
        list[str] | None, typer.Option(help="Only this one; may be repeated. By default all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Count statements, round trips, modules, code and calls of a worker; stores nothing."""
    # A second to import, asv among it: only this command pays for it.
    from harness.counts import report as shown
    from harness.counts.count import Counts
    from harness.counts.run import count_all
    from harness.lifecycles import profile as profiles
    from harness.postgres import locate
    from harness.releases import interpreters
    from harness.releases.catalogue import catalogue, listed
    from harness.system.errors import PoolstartError

    chosen = profiles.known(strategy, "--strategy") if strategy else profiles.current().strategies
    version = listed(release) if release else catalogue().newest.version
    with locate.server() as server:
        found = count_all(chosen, server, release=version, python=interpreters.of_release(version))
    counted = {name: one for name, one in found.items() if isinstance(one, Counts)}
    if as_json:
        print(json.dumps({name: asdict(one) for name, one in counted.items()}, indent=1))
    elif counted:
        figures = {name: one.figures for name, one in counted.items()}
        console.print(
            shown.figures(
                figures, f"SQLAlchemy {version}, a worker beside a warm parent: first / second query"
            )
        )
        console.print(shown.distances(figures))
    for name, one in found.items():
        if isinstance(one, PoolstartError):
            raise one
        if not isinstance(one, Counts):
            typer.echo(f"poolstart: n/a: {name}: {one}", err=True)

"""`poolstart explain`: what changed between two releases."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console(highlight=False, soft_wrap=True)


def explain(
    before: Annotated[str, typer.Argument(help="A listed release.")],
    after: Annotated[str, typer.Argument(help="The one whose figures are others.")],
    strategy: Annotated[str, typer.Option(help="Of which strategy.")] = "spawn",
    record: Annotated[bool, typer.Option("--record", help="Store it in docs/causes.json.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Say what a worker does otherwise: modules, calls, statements, memory, or the collector alone."""
    # A second to import, asv among it: only this command pays for it.
    from concurrent.futures import ThreadPoolExecutor

    from harness.outside import explain as causes
    from harness.outside import profile as profiles
    from harness.outside.cell import NotApplicable
    from harness.postgres import locate
    from harness.releases import history
    from harness.releases.catalogue import listed
    from harness.shown import explain as shown
    from harness.system.errors import PoolstartError

    (name,) = profiles.known([strategy], "--strategy")
    releases = [listed(before), listed(after)]
    pythons = list(map(history.interpreter, releases))
    with locate.server() as server, ThreadPoolExecutor() as pool:

        def observe(release: str, python: Path) -> causes.Side:
            return causes.observe(name, server, release=release, python=python)

        try:
            # What is counted does not mind another beside it.
            first, second = pool.map(observe, releases, pythons)
        except NotApplicable as reason:
            raise PoolstartError(
                f"nothing to explain: {reason}", "choose another strategy or server"
            ) from None
    found = causes.explain(first, second)
    if record:
        causes.record(found)
    if as_json:
        print(json.dumps({**found.to_json(), "changelog": found.changelog}, indent=1))
    else:
        console.print("\n".join(shown.lines(found)))

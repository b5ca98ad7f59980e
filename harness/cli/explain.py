"""`poolstart explain`: what changed between two releases."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

console = Console(highlight=False, soft_wrap=True)


def explain(
    before: Annotated[str | None, typer.Argument(help="A listed release.", show_default=False)] = None,
    after: Annotated[
        str | None, typer.Argument(help="The one whose figures are others.", show_default=False)
    ] = None,
    strategy: Annotated[str, typer.Option(help="Of which strategy.")] = "spawn",
    record: Annotated[bool, typer.Option("--record", help="Store it in records/causes.json.")] = False,
    steps: Annotated[
        bool, typer.Option("--steps", help="Instead: store what each real step is without so far.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Say what a worker does otherwise: modules, calls, statements, memory, or the collector alone."""
    # A second to import, asv among it: only this command pays for it.
    from harness.history import causes
    from harness.history import causes_report as shown
    from harness.lifecycles import profile as profiles
    from harness.postgres import locate
    from harness.processes.errors import NotApplicable
    from harness.releases import interpreters
    from harness.releases.catalogue import listed
    from harness.system.errors import PoolstartError

    if steps:
        if before:
            raise PoolstartError("--steps chooses the releases", "leave them out")
        if as_json:
            raise PoolstartError("--steps shows nothing", "leave --json out, or name two releases")
        store_missing()
        return
    if not before or not after:
        raise PoolstartError(
            "nothing to explain", "name two releases, as in `poolstart explain 2.0.40 2.0.41`"
        )
    (name,) = profiles.known([strategy], "--strategy")
    releases = (listed(before), listed(after))
    pythons = (interpreters.of_release(releases[0]), interpreters.of_release(releases[1]))
    with locate.server() as server:
        try:
            found = causes.between(releases, pythons, name, server)
        except NotApplicable as reason:
            raise PoolstartError(
                f"nothing to explain: {reason}", "choose another strategy or server"
            ) from None
    if record:
        causes.record(found)
    if as_json:
        print(json.dumps({**asdict(found), "changelog": found.changelog}, indent=1))
    else:
        console.print("\n".join(shown.lines(found)))


def store_missing() -> None:
    """Explain the real steps of the committed history of which nothing is on record."""
    from harness.console.progress import progress
    from harness.history import causes, detect
    from harness.postgres import locate
    from harness.releases import interpreters

    steps = detect.recorded_change_points().steps
    missing = causes.unexplained((step.release_pair for step in steps), causes.load())
    with progress("starting") as report, locate.server() as server:
        for number, (before, after, strategy) in enumerate(missing, 1):
            report(f"{before} and {after}, {strategy}, {number} of {len(missing)}")
            pythons = (interpreters.of_release(before), interpreters.of_release(after))
            causes.record(causes.between((before, after), pythons, strategy, server))
    typer.echo(f"written: records/causes.json, {len(missing)} more")

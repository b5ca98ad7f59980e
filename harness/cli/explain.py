"""`poolstart explain`: the exact counts of a release, or what changed between two."""

from typing import Annotated

import typer

from harness.cli.options import AsJson, Strategies


def explain(
    release: Annotated[
        str | None, typer.Argument(help="A listed release; by default the newest.", show_default=False)
    ] = None,
    after: Annotated[
        str | None, typer.Argument(help="A later one, to see what changed.", show_default=False)
    ] = None,
    strategy: Strategies = None,
    as_json: AsJson = False,
) -> None:
    """Count what a worker does: statements, round trips, modules, code and calls; stores nothing.

    Of two releases: which modules, calls, statements and memory changed, by default with spawn.
    """
    # A second to import, asv among it: only this command pays for it.
    from harness.lifecycles import profile as profiles
    from harness.releases.catalogue import catalogue, listed

    version = listed(release) if release else catalogue().newest.version
    if after:
        names = tuple(profiles.known(strategy, "--strategy")) if strategy else ("spawn",)
        between(version, listed(after), names, as_json)
    else:
        names = tuple(profiles.known(strategy, "--strategy")) if strategy else profiles.current().strategies
        counts(version, names, as_json)


def between(before: str, after: str, names: tuple[str, ...], as_json: bool) -> None:
    from dataclasses import asdict

    from harness.console import terminal
    from harness.drivers import upgrade_note
    from harness.history import causes, causes_report
    from harness.postgres import locate
    from harness.processes.errors import NotApplicable
    from harness.releases import interpreters
    from harness.system.errors import PoolstartError

    pythons = (interpreters.of_release(before), interpreters.of_release(after))
    with locate.server() as server:
        try:
            explanations = [causes.between((before, after), pythons, name, server) for name in names]
        except NotApplicable as reason:
            raise PoolstartError(
                f"nothing to explain: {reason}", "choose another strategy or server"
            ) from None
    if as_json:
        note = upgrade_note(before, after)
        terminal.print_json(
            {
                each.strategy: {**asdict(each), "changelog": each.changelog, "upgrade": note}
                for each in explanations
            }
        )
        return
    console = terminal.output()
    for explanation in explanations:
        console.print("\n".join(causes_report.lines(explanation)), soft_wrap=True)


def counts(release: str, names: tuple[str, ...], as_json: bool) -> None:
    from dataclasses import asdict

    from harness.console import terminal
    from harness.counts import report
    from harness.counts.count import Counts
    from harness.counts.run import count_all
    from harness.postgres import locate
    from harness.releases import interpreters
    from harness.system.errors import PoolstartError

    with locate.server() as server:
        results = count_all(names, server, release=release, python=interpreters.of_release(release))
    counted = {name: result for name, result in results.items() if isinstance(result, Counts)}
    if as_json:
        terminal.print_json({name: asdict(result) for name, result in counted.items()})
    elif counted:
        figures = {name: result.figures for name, result in counted.items()}
        console = terminal.output()
        title = f"SQLAlchemy {release}, a worker beside a warm parent: first / second query"
        console.print(report.figures(figures, title))
        console.print(report.distances(figures))
    for name, result in results.items():
        if isinstance(result, PoolstartError):
            raise result
        if not isinstance(result, Counts):
            typer.echo(f"poolstart: n/a: {name}: {result}", err=True)

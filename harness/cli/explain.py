"""`poolstart explain`: the exact counts of a release, or what changed between two."""

from typing import Annotated

import typer

from harness.cli import complete
from harness.cli.options import Strategies, exclude, formatted


@formatted
def explain(
    release: Annotated[
        str | None,
        typer.Argument(
            help="A listed release; by default the newest.",
            show_default=False,
            autocompletion=complete.releases,
        ),
    ] = None,
    after: Annotated[
        str | None,
        typer.Argument(
            help="A later release, to see what changed.",
            show_default=False,
            autocompletion=complete.releases,
        ),
    ] = None,
    strategy: Strategies = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Count again what is on record, about 40 seconds a strategy.")
    ] = False,
    form: str = "table",
) -> None:
    """Count what a worker does: statements, round trips, modules, code and calls; stores nothing.

    For two releases: which modules, calls, statements and memory changed, by default with spawn. Causes on
    record are shown without counting again.
    """
    # A second to import, asv among it: only this command pays for it.
    from harness.lifecycles import profile as profiles
    from harness.releases.catalogue import catalogue, listed

    version = listed(release) if release else catalogue().newest.version
    if after:
        names = tuple(profiles.known(strategy, "--strategy")) if strategy else ("spawn",)
        between(version, listed(after), names, fresh, form)
    else:
        exclude("counting one release, of which nothing is on record,", {"--fresh": fresh})
        names = tuple(profiles.known(strategy, "--strategy")) if strategy else profiles.current().strategies
        counts(version, names, form)


def between(before: str, after: str, names: tuple[str, ...], fresh: bool, form: str) -> None:
    from harness.console import terminal
    from harness.console.progress import progress
    from harness.history import causes, causes_record, causes_report
    from harness.postgres import locate
    from harness.processes.errors import NotApplicable
    from harness.releases import interpreters
    from harness.system.errors import PoolstartError

    recorded = {} if fresh else causes_record.recorded(before, after, names)
    for name, explanation in recorded.items():
        note = f"{name}: on record{explanation.counted}; --fresh counts again"
        terminal.print_text(terminal.errors(), note)
    explanations = dict(recorded)
    if missing := [name for name in names if name not in recorded]:
        pythons = (interpreters.of_release(before), interpreters.of_release(after))
        with progress("starting PostgreSQL") as report, locate.server() as server:
            for name, _ in report.each(missing, name=str):
                try:
                    explanations[name] = causes.between((before, after), pythons, name, server)
                except NotApplicable as reason:
                    raise PoolstartError(
                        f"nothing to explain: {reason}", "choose another strategy or server"
                    ) from None
    causes_report.write([explanations[name] for name in names], list(recorded), form)


def counts(release: str, names: tuple[str, ...], form: str) -> None:
    from harness.counts import report
    from harness.counts.count import Counts
    from harness.counts.run import count_all
    from harness.postgres import locate
    from harness.processes.errors import NotApplicable
    from harness.releases import interpreters
    from harness.system.errors import PoolstartError

    with locate.server() as server:
        results = count_all(names, server, release=release, python=interpreters.of_release(release))
    counted = {name: result for name, result in results.items() if isinstance(result, Counts)}
    if counted:
        report.write(release, counted, form)
    elif all(isinstance(result, NotApplicable) for result in results.values()):
        raise PoolstartError(f"nothing was counted: {next(iter(results.values()))}")
    for name, result in results.items():
        if isinstance(result, PoolstartError):
            raise result
        if not isinstance(result, Counts):
            typer.echo(f"poolstart: n/a: {name}: {result}", err=True)

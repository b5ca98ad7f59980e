"""`poolstart explain`: what changed between two releases."""

from typing import Annotated

import typer

from harness.cli import complete
from harness.cli.options import Strategies, formatted


@formatted
def explain(
    before: Annotated[str, typer.Argument(help="A listed release.", autocompletion=complete.releases)],
    after: Annotated[
        str,
        typer.Argument(help="A later release, to see what changed.", autocompletion=complete.releases),
    ],
    strategy: Strategies = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Count again what is on record, about 40 seconds a strategy.")
    ] = False,
    form: str = "table",
) -> None:
    """Count which modules, calls, statements and memory of a worker changed, by default with spawn.

    Stores nothing. Causes on record are shown without counting again.
    """
    # A second to import, asv among it: only this command pays for it.
    from harness.console import terminal
    from harness.console.progress import progress
    from harness.history import causes, causes_record, causes_report
    from harness.lifecycles import profile
    from harness.postgres import locate
    from harness.processes.errors import NotApplicable
    from harness.releases import interpreters
    from harness.releases.catalogue import listed
    from harness.system.errors import PoolstartError

    releases = listed(before), listed(after)
    names = tuple(profile.known(strategy, "--strategy")) if strategy else ("spawn",)
    recorded = {} if fresh else causes_record.recorded(*releases, names)
    for name, explanation in recorded.items():
        note = f"{name}: on record{explanation.counted}; --fresh counts again"
        terminal.print_text(terminal.errors(), note)
    explanations = dict(recorded)
    if missing := [name for name in names if name not in recorded]:
        pythons = (interpreters.of_release(releases[0]), interpreters.of_release(releases[1]))
        with progress("starting PostgreSQL") as report, locate.server() as server:
            for name, _ in report.each(missing, name=str):
                try:
                    explanations[name] = causes.between(releases, pythons, name, server)
                except NotApplicable as reason:
                    raise PoolstartError(
                        f"nothing to explain: {reason}", "choose another strategy or server"
                    ) from None
    causes_report.write([explanations[name] for name in names], list(recorded), form)

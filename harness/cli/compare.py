"""`poolstart compare`: two releases, checkouts, wheels or folders, measured alternately."""

import re
import time
from dataclasses import replace
from typing import Annotated

import typer

from harness.cli import complete
from harness.cli.options import Dataframe, Strategies, dataframes, exclude, formatted


@formatted
def compare(
    first: Annotated[
        str,
        typer.Argument(
            help="A release, a folder, a wheel, or a requirement of pip.",
            autocompletion=complete.releases,
        ),
    ],
    second: Annotated[
        str, typer.Argument(help="The same, to compare with it.", autocompletion=complete.releases)
    ],
    vary: Annotated[
        str,
        typer.Option(
            help="What differs: strategy, driver, or the version of sqlalchemy, python or a package.",
            autocompletion=complete.of(("sqlalchemy", "strategy", "driver", "python")),
        ),
    ] = "sqlalchemy",
    strategy: Strategies = None,
    dataframe: Dataframe = "none",
    pairs: Annotated[int, typer.Option(min=6, help="The least number of pairs, if the time suffices.")] = 10,
    minutes: Annotated[float, typer.Option(min=0.1, help="The time limit; installing is not counted.")] = 10,
    tolerate: Annotated[str, typer.Option(help="The largest increase that is not a failure.")] = "3%",
    form: str = "table",
) -> None:
    """Measure two sides alternately, and report which figures differ.

    Exit status: 0 if no figure is worse by more than is tolerated, 1 if one
    is, 2 if a side cannot be measured, 3 if the time was too short to decide.

    --csv has a row a figure: first, second, metric, unit, strategy,
    dataframe, pairs, before, after, ratio, low, high, p, verdict, limit,
    detectable, outcome. low and high are the 99 % interval of the ratio.
    """
    settings, limit = dataframes(dataframe), part(tolerate)
    if vary == "strategy":
        exclude("--vary strategy", {"--strategy": strategy})
    # scipy and asv take a second to import: only this command pays for it.
    from harness.comparisons import compare as comparison
    from harness.comparisons import exact
    from harness.comparisons import report as shown
    from harness.comparisons.compare import ComparisonSettings
    from harness.comparisons.sides import check, side
    from harness.console.progress import progress
    from harness.lifecycles import profile as profiles
    from harness.postgres import locate
    from harness.system.errors import PoolstartError

    profile = profiles.current()
    chosen = profiles.known(strategy, "--strategy") if strategy else profile.strategies
    for text in (first, second):
        check(text, vary)
    with progress("installing") as report, locate.server(pooler=True, driver=True) as server:
        sides = side(first, vary, chosen), side(second, vary, chosen)
        began = time.monotonic()
        counted, not_counted, failed = exact.both(*sides, server, report)
        # A worker under valgrind may take long on a slow machine: half of the time is for pairs in any case.
        seconds = max(60 * minutes - (time.monotonic() - began), 30 * minutes)
        found = comparison.compare(
            *sides,
            server,
            profile,
            ComparisonSettings(tuple(settings), pairs, budget=seconds, tolerate=limit),
            report,
        ).concluded()
    found = replace(
        found,
        exact=tuple(counted),
        not_applicable=[*found.not_applicable, *not_counted],
        rejected=[*found.rejected, *failed],
    )
    if not found.rows:
        reasons = [*found.rejected, *found.not_applicable]
        raise PoolstartError(
            f"nothing could be compared: {reasons[0] if reasons else 'no pair was complete in time'}",
            "" if reasons else "allow more --minutes, or name fewer strategies by --strategy",
        )
    shown.write(found, settings, form, server.title)
    if found.status:
        raise typer.Exit(found.status)


def part(text: str) -> float:
    """The number in `3%` or `0.03`."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text.strip())
    if not number:
        raise typer.BadParameter(f"{text} is no share: give one as 3% or 0.03")
    return float(number[1]) / (100 if number[2] else 1)

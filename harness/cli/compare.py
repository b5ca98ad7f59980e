"""`poolstart compare`: a release, a checkout, a wheel or a folder against another, measured in turns."""

import re
from typing import Annotated

import typer

from harness.cli.options import AsJson, Dataframe, Strategies, dataframes


def compare(
    first: Annotated[str, typer.Argument(help="A release, a folder, a wheel, or what pip understands.")],
    second: Annotated[str, typer.Argument(help="What is held against it.")],
    vary: Annotated[
        str, typer.Option(help="What the two are versions of: sqlalchemy, strategy, python, or a package.")
    ] = "sqlalchemy",
    strategy: Strategies = None,
    dataframe: Dataframe = "none",
    pairs: Annotated[int, typer.Option(min=6, help="Measure each at least so many times.")] = 10,
    minutes: Annotated[float, typer.Option(min=0, help="Stop then, however wide the intervals.")] = 10,
    tolerate: Annotated[str, typer.Option(help="How much worse is no reason to fail.")] = "3%",
    as_json: AsJson = False,
) -> None:
    """Measure two things in turns, and say which figures differ; exit status 1 where one got worse."""
    settings, limit = dataframes(dataframe), part(tolerate)
    # scipy and asv take a second to import: only this command pays for it.
    from harness.comparisons import compare as comparison
    from harness.comparisons import report as shown
    from harness.comparisons.compare import ComparisonSettings
    from harness.comparisons.sides import check, side
    from harness.console.progress import progress
    from harness.lifecycles import profile as profiles
    from harness.postgres import locate

    profile = profiles.current()
    chosen = profiles.known(strategy, "--strategy") if strategy else profile.strategies
    for text in (first, second):
        check(text, vary)
    with progress("installing") as report, locate.server(pooler=True) as server:
        found = comparison.compare(
            side(first, vary, chosen),
            side(second, vary, chosen),
            server,
            profile,
            ComparisonSettings(tuple(settings), pairs, budget=60 * minutes, tolerate=limit),
            report,
        ).concluded()
        found = found.with_instructions(server, report)
    shown.write(found, settings, "json" if as_json else "table")
    if found.worse(limit) or found.rejected or not found.rows:
        raise typer.Exit(1)


def part(text: str) -> float:
    """`3%` or `0.03` as a part of one."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text.strip())
    if not number:
        raise typer.BadParameter(f"{text} is no share: give one as 3% or 0.03")
    return float(number[1]) / (100 if number[2] else 1)

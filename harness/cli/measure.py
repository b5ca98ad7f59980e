"""`poolstart measure`: the figures of a few strategies at once, in the terminal."""

import typer

from harness.cli.options import AsCsv, AsJson, AsMarkdown, Dataframe, Strategies, chosen_format, dataframes


def measure(
    strategy: Strategies = None,
    dataframe: Dataframe = "both",
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Measure strategies now, with the profile of POOLSTART_PROFILE; nothing is stored.

    --csv has a row a figure: sqlalchemy, server, python, strategy,
    dataframe, dataframe_mib, metric, unit, median, least, most, samples,
    reason.
    A sample is a parent; least and most are of the samples.
    """
    form, settings = chosen_format(as_json, as_csv, as_markdown), dataframes(dataframe)
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from importlib import metadata

    from harness.console.progress import progress
    from harness.lifecycles import plan
    from harness.lifecycles import profile as profiles
    from harness.lifecycles import report as shown
    from harness.lifecycles.cell import Cell
    from harness.postgres import locate
    from harness.system import memory
    from harness.system.errors import PoolstartError

    profile = profiles.current()
    chosen = tuple(dict.fromkeys(profiles.known(strategy, "--strategy"))) if strategy else profile.strategies
    memory.require()
    cells = [Cell(name, setting) for setting in settings for name in chosen]
    with progress("starting PostgreSQL") as report, locate.server(pooler=True) as server:
        measured = plan.measure(cells, server, profile, release=metadata.version("sqlalchemy"), report=report)
    if len(measured.not_applicable) == len(cells):
        raise PoolstartError(f"nothing can be measured here: {next(iter(measured.not_applicable.values()))}")
    shown.tell(measured, chosen, settings, profile, form, server.title)
    if measured.rejected:
        raise typer.Exit(1)

"""`poolstart measure`: the figures of some strategies, in the terminal."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from harness.cli.options import Dataframe, Strategies, dataframes, formatted


@formatted
def measure(
    strategy: Strategies = None,
    dataframe: Dataframe = "both",
    form: str = "table",
) -> None:
    """Measure strategies now, with the profile of POOLSTART_PROFILE; nothing is stored.

    --csv has a row a figure: sqlalchemy, driver, server, python,
    strategy, dataframe, dataframe_mib, metric, unit, median, least, most, samples,
    reason.
    A sample is a parent; least and most are the extremes of the samples.
    """
    settings = dataframes(dataframe)
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
    with progress("starting PostgreSQL") as report, locate.server(pooler=True, driver=True) as server:
        release = metadata.version("sqlalchemy")
        python = python_with_driver(release, profile.driver, chosen, report)
        measured = plan.measure(cells, server, profile, release=release, python=python, report=report)
    if len(measured.not_applicable) == len(cells):
        reason = next(iter(measured.not_applicable.values()))
        raise PoolstartError(f"nothing can be measured here: {reason}", "name another strategy")
    shown.write(measured, chosen, settings, profile, form, server.title)
    if measured.rejected:
        raise typer.Exit(1)


def python_with_driver(
    release: str, driver: str, chosen: Sequence[str], report: Callable[[str], None]
) -> Path:
    """An interpreter that has a release and a driver: this one, or that of an environment for both.

    Raises `PoolstartError` if none of the strategies exists for the driver.
    """
    from harness import drivers, strategies
    from harness.system.errors import PoolstartError

    used = drivers.get(driver)
    if used == drivers.MEASURED:
        return Path(sys.executable)
    reasons = [strategies.get(name).without(used) for name in chosen]
    if all(reasons):
        raise PoolstartError(
            f"nothing can be measured here: {reasons[0]}",
            f"name another strategy, or another driver in {drivers.DRIVER}",
        )
    # asv takes half a second to import.
    from harness.releases import interpreters

    report(f"installing {driver}")
    return interpreters.of_release(release, used)

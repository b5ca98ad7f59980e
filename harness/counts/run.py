"""The counts of all strategies of a run."""

import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

from harness import drivers
from harness.counts.count import Counts, count
from harness.counts.figures import RunCounts
from harness.drivers import Driver
from harness.lifecycles import profile as profiles
from harness.postgres import locate
from harness.postgres.server import Server
from harness.processes import heartbeat
from harness.processes.errors import NotApplicable, print_reasons
from harness.system.errors import PoolstartError

AT_ONCE = 2
"""Strategies that are counted at the same time."""


def count_all(
    names: Iterable[str],
    server: Server,
    *,
    release: str,
    python: str | Path = sys.executable,
    driver: Driver = drivers.MEASURED,
) -> dict[str, Counts | PoolstartError | NotApplicable]:
    """The counts by strategy, or the reason why one cannot be counted."""

    def counts_or_reason(name: str) -> Counts | PoolstartError | NotApplicable:
        try:
            return count(name, server, release=release, python=python, driver=driver)
        except (PoolstartError, NotApplicable) as reason:
            return reason
        finally:
            heartbeat.beat(f"counts of {name}")

    names = list(names)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(names, pool.map(counts_or_reason, names), strict=True))


def of_this_run() -> RunCounts:
    """The counts of the asv run that this process belongs to.

    Prints a line on standard error for every reason why a strategy cannot be counted.
    """
    profile = profiles.current()
    strategies, driver = profile.strategies, drivers.get(profile.driver)
    counted: dict[str, Counts | PoolstartError | NotApplicable]
    try:
        with locate.server(driver=True) as server:
            counted = count_all(strategies, server, release=metadata.version("sqlalchemy"), driver=driver)
    except locate.OnlyTimes as reason:
        counted = dict.fromkeys(strategies, NotApplicable(reason.problem))
    run = RunCounts(
        figures={name: counts.figures for name, counts in counted.items() if isinstance(counts, Counts)},
        rejected={
            name: str(reason) for name, reason in counted.items() if isinstance(reason, PoolstartError)
        },
        not_applicable={
            name: str(reason) for name, reason in counted.items() if isinstance(reason, NotApplicable)
        },
    )
    print_reasons(run.rejected.values(), run.not_applicable.values())
    return run

"""Lifecycles with other drivers: the same strategies, checks and metrics; what does not exist says why.

They need the drivers in the environment of the tests: `uv run --with 'psycopg[binary]' --with asyncpg pytest
tests/strategies`.
"""

import importlib.util
from dataclasses import replace

import pytest
import sqlalchemy

from harness import drivers, strategies
from harness.answer.code.parts import DRIVERS
from harness.counts.count import count
from harness.drivers import ASYNCPG, PSYCOPG, PSYCOPG_PURE, Driver
from harness.lifecycles import metrics, plan
from harness.lifecycles.cell import Cell
from harness.lifecycles.profile import PROFILES
from harness.postgres.server import Server

PROFILE = replace(PROFILES["quick"], dataframe_mib=64, deadline=120)


def measured(server: Server, driver: Driver, *names: str, dataframe: str = "none") -> plan.MeasuredRun:
    if not importlib.util.find_spec(driver.module):
        pytest.skip(f"{driver.module} is not installed")
    return plan.measure(
        [Cell(name, dataframe) for name in names],
        server,
        replace(PROFILE, driver=driver.name),
        release=sqlalchemy.__version__,
    )


@pytest.mark.parametrize("driver", DRIVERS[1:], ids=lambda driver: driver.name)
def test_every_strategy_passes_every_check_or_says_why_it_does_not_exist(
    server: Server, driver: Driver
) -> None:
    run = measured(server, driver, *strategies.IDS)
    assert not run.rejected
    assert not run.warnings
    absent = {"fork_nodispose.none"} if driver.bound_to_loop else set()
    assert run.not_applicable.keys() == absent
    for name in strategies.IDS:
        if f"{name}.none" not in absent:
            assert all(run.samples(Cell(name, "none"), metric) for metric in metrics.METRICS)
    assert run.facts[driver.module]
    assert "psycopg2" not in run.facts
    assert run.driver == driver.name


def test_a_dataframe_of_the_parent_is_no_obstacle_to_an_event_loop(server: Server) -> None:
    run = measured(server, ASYNCPG, "fork_dispose", dataframe="large")
    assert not run.rejected


def test_another_implementation_than_the_one_named_is_no_measurement(server: Server) -> None:
    run = measured(server, PSYCOPG_PURE, "nullpool")
    (reason,) = run.rejected.values()
    assert "the implementation of psycopg_pure was binary, not python" in reason


@pytest.mark.parametrize("driver", DRIVERS[1:], ids=lambda driver: driver.name)
def test_after_the_right_preload_a_worker_imports_no_module_of_its_driver(
    server: Server, driver: Driver
) -> None:
    if not importlib.util.find_spec(driver.module):
        pytest.skip(f"{driver.module} is not installed")
    counted = count("forkserver_preload", server, release=sqlalchemy.__version__, driver=driver)
    assert not [
        module for module in counted.code if module.partition(".")[0] in ("sqlalchemy", driver.module)
    ]
    assert counted.figures["statements_second_query"] == 3


def test_a_strategy_whose_preload_is_its_point_is_not_given_another() -> None:
    assert "forkserver_freeze preloads harness.preloaded" in strategies.get("forkserver_freeze").without(
        PSYCOPG
    )


def test_every_driver_of_the_catalogue_has_all_that_is_needed_to_measure_it() -> None:
    assert len({driver.name for driver in drivers.DRIVERS}) == len(drivers.DRIVERS)
    for driver in drivers.DRIVERS:
        assert driver.version
        assert f"sqlalchemy.dialects.postgresql.{driver.dialect}" in driver.preload
        assert any(module.partition(".")[0] == driver.module for module in driver.preload)
        assert ("sqlalchemy.ext.asyncio" in driver.preload) == driver.asynchronous

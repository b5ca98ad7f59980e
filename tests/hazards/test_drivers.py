"""Hazards with other drivers: which of them fail loudly, return wrong rows, or never answer.

They need the drivers in the environment of the tests: `uv run --with 'psycopg[binary]' --with asyncpg
--with psycopg_pool --with uvloop pytest tests/hazards/test_drivers.py`.
"""

import importlib.util
import sys

import pytest
from typer.testing import CliRunner

from harness import drivers
from harness.answer.code.parts import DRIVERS
from harness.cli.commands import app
from harness.drivers import ASYNCPG, MEASURED, PSYCOPG, Driver
from harness.hazards import catalogue, matrix
from harness.hazards import expected as record
from harness.hazards.hazard import TRIED, Outcome, Verdict
from harness.hazards.runner import Trials
from harness.postgres import locate
from harness.postgres.server import Server

BY_DRIVER = [name for name in catalogue.IDS if catalogue.load(name).by_driver]


def trial(server: Server, driver: Driver, hazard: str, strategy: str) -> Outcome:
    if not importlib.util.find_spec(driver.module):
        pytest.skip(f"{driver.module} is not installed")
    with Trials(server, python=sys.executable, driver=driver) as trials:
        return trials.run(catalogue.load(hazard), strategy)


@pytest.mark.parametrize(
    ("driver", "hazard", "said"),
    [
        (PSYCOPG, "wrong_answer", "select 'parent' returned 'worker'"),
        (ASYNCPG, "wrong_answer", "InternalClientError"),
        (ASYNCPG, "parent_closed", "The parent's query never returns."),
    ],
    ids=["psycopg returns the row of another process", "asyncpg refuses it", "its parent waits for ever"],
)
def test_each_driver_fails_in_its_own_way(server: Server, driver: Driver, hazard: str, said: str) -> None:
    outcome = trial(server, driver, hazard, "fork_nodispose")
    assert outcome.verdict is Verdict.AFFECTED
    text = " ".join(event.what for event in outcome.story)
    assert said in text
    assert driver is PSYCOPG or "returned 'worker'" not in text


@pytest.mark.parametrize("driver", DRIVERS[1:], ids=lambda driver: driver.name)
def test_the_documented_dispose_protects_with_every_driver(server: Server, driver: Driver) -> None:
    assert trial(server, driver, "shared_socket", "fork_dispose").verdict is Verdict.SURVIVES


@pytest.mark.parametrize(
    ("hazard", "strategy", "verdict", "reason"),
    [
        ("shared_socket", "fork_sever", Verdict.NOT_APPLICABLE, "fork_sever is written for synchronous"),
        ("own_lock", "spawn", Verdict.NOT_TRIED, "own_lock is tried with psycopg2 only"),
    ],
)
def test_what_is_not_tried_with_a_driver_says_why(
    server: Server, hazard: str, strategy: str, verdict: Verdict, reason: str
) -> None:
    outcome = trial(server, ASYNCPG, hazard, strategy)
    assert outcome.verdict is verdict
    assert outcome.reason.startswith(reason)


@pytest.mark.parametrize("driver", DRIVERS[1:], ids=lambda driver: driver.name)
def test_the_record_has_the_hazards_in_which_the_driver_makes_a_difference(driver: Driver) -> None:
    expected = record.expected("2.1.9", driver=driver.name)
    for hazard in map(catalogue.load, BY_DRIVER):
        if (hazard.id, hazard.affected_control) not in expected:
            # Figures are measured on an idle machine.
            assert hazard.figures
            continue
        assert expected[hazard.id, hazard.survives_control] is Verdict.SURVIVES
        assert expected[hazard.id, hazard.affected_control] in TRIED
    assert record.table_of("2.1.9", driver=driver.name).provenance.driver == driver.label


def test_the_command_shows_code_for_the_driver_and_no_verdict_of_another(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not importlib.util.find_spec("asyncpg"):
        pytest.skip("asyncpg is not installed")
    for name, value in ((locate.RUN, server.to_json()), (drivers.DRIVER, "asyncpg")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(matrix, "interpreter", lambda _: sys.executable)
    done = CliRunner().invoke(app, ["hazards", "shared_socket", "--strategy", "spawn"])
    assert done.exit_code == 0, done.output
    assert drivers.url(ASYNCPG) in done.output
    assert drivers.URL not in done.output


def test_which_cure_of_an_inherited_async_engine_leaves_its_parent_alone(server: Server) -> None:
    outcome = trial(server, ASYNCPG, "asyncpg_loop", "fork_dispose")
    harmed = {figure for figure, reading in outcome.readings.items() if reading.value}
    cures = {figure.rpartition("_")[0] for figure in outcome.readings}
    assert cures == {"awaited", "before", "inside", "kept", "new"}
    loops = ("running", "stopped", *(["uvloop"] if importlib.util.find_spec("uvloop") else []))
    assert harmed == {f"{cure}_{loop}" for cure in ("awaited", "before", "inside") for loop in loops}


@pytest.mark.parametrize(
    ("strategy", "harmed"),
    [("fork_dispose", {"pool_shared", "pool_closed"}), ("spawn", set())],
)
def test_an_inherited_psycopg_pool_shares_and_ends_sessions_of_its_parent_unless_it_is_left_alone(
    server: Server, strategy: str, harmed: set[str]
) -> None:
    if not importlib.util.find_spec("psycopg_pool"):
        pytest.skip("psycopg_pool is not installed")
    outcome = trial(server, MEASURED, "missing_thread", strategy)
    assert set(outcome.readings) == {"pool_shared", "pool_closed", "pool_new"}
    assert {figure for figure, reading in outcome.readings.items() if reading.value} == harmed

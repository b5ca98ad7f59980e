"""From reports about engines to findings."""

from typing import Any

import pytest

from harness.doctor.evidence.inside import Reported
from harness.doctor.judge import engines, reports

GIVEN = ["connect_args options", "listener of connect"]


def engine(pid: int, place: str, settings: list[str], **fields: Any) -> Reported:
    made = {"place": place, "maker": pid, "ancestors": [1], "target": "db:5432/shop", "capacity": 15}
    return Reported("engine", pid, pid, {**made, "settings": settings, **fields})


PARENT = engine(1, "app.py:1 main", GIVEN, ancestors=[])


@pytest.mark.parametrize(
    "worker",
    [
        engine(2, "app.py:9 work", GIVEN),
        engine(2, "app.py:9 work", [*GIVEN, "isolation_level"]),
        engine(2, "app.py:9 work", [], target="other:5432/shop"),
        engine(2, "app.py:9 work", [], ancestors=[]),
        engine(2, "app.py:9 work", [], maker=1),
    ],
    ids=["same", "more", "another database", "another program", "inherited"],
)
def test_settings_that_are_not_lost(worker: Reported) -> None:
    assert engines.judge([PARENT, worker]) == []


def test_lost_settings_are_named_and_a_second_engine_with_them_clears_it() -> None:
    worker = engine(2, "app.py:9 work", [])
    [finding] = engines.judge([PARENT, worker])
    assert finding.hazard == "lost_settings"
    assert finding.sentence.endswith("which started it: connect_args options, listener of connect")
    assert engines.judge([PARENT, worker, engine(2, "app.py:5 other", GIVEN)]) == []


def test_a_spawned_worker_with_an_engine_in_each_task_gets_its_own_by_an_initializer() -> None:
    made = Reported("engines", 2, 3, {"place": "app.py:9 work", "count": 12, "keeping": 4})
    [finding] = reports.judge([PARENT, engine(2, "app.py:9 work", GIVEN), made])
    assert "multiprocessing.Pool(..., initializer=make_engine)" in finding.fix


def capacity(pools: list[Reported], limit: int, host: str = "db", **options: Any) -> str:
    found = engines.capacity(pools, limit, f"postgresql://app@{host}/shop", options.get("alive", {}))
    return "".join(finding.sentence for finding in found)


def test_pools_are_added_and_compared_with_the_limit() -> None:
    pools = [PARENT, engine(2, "app.py:9 work", []), engine(3, "app.py:9 work", [], capacity=-1)]
    assert capacity(pools, 30) == capacity(pools, 0) == ""
    assert capacity(pools, 29).startswith("the pools of 2 processes can open 30 connections, and the server")


def test_pools_of_other_servers_and_of_processes_that_had_ended_are_not_added() -> None:
    worker = engine(2, "app.py:9 work", [])
    assert capacity([PARENT, worker], 29, alive={1: 1.5e-9}) == ""
    assert capacity([PARENT, engine(2, "app.py:9 work", [], target="other:5432/shop")], 29) == ""
    assert capacity([PARENT, worker], 29, "other") == ""
    local = [
        engine(n, "app.py:1 main", [], target=f"{host}:/shop") for n, host in enumerate(("localhost", ""))
    ]
    assert capacity(local, 29, "127.0.0.1:5432") != ""

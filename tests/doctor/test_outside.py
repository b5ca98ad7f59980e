"""`poolstart doctor PID`: broken programs are found, and healthy ones are never accused."""

import pytest

from harness.doctor import detected
from harness.postgres.server import Server
from tests.support.victims import doctor, victim

WATCH = "2"

CASES = [(hazard, row, name) for hazard, row in detected.table().items() for name in row.victims]

HEALTHY = (
    "idle_pool",
    "idle_executor",
    "busy_workers",
    "threads",
    "loop",
    "programs",
    "other_sockets",
    "daemon",
    "waiting_threads",
    "spawned",
)


@pytest.mark.parametrize(("hazard", "row", "name"), [pytest.param(*case, id=case[2]) for case in CASES])
def test_a_broken_program_is_found(server: Server, hazard: str, row: detected.Detected, name: str) -> None:
    url = server.sqlalchemy_url("victim")
    with victim(name, "broken", url) as pid:
        status, report = doctor(pid, "--watch", WATCH, *(("--url", url) if row.url else ()))
    found = {finding["hazard"]: finding["certainty"] for finding in report["findings"]}
    assert found.keys() == ({row.outside_as or hazard} if row.outside else set()), report
    assert set(found.values()) <= set(row.outside)
    assert status == (1 if {"certain", "proven"} & set(found.values()) else 0)


@pytest.mark.parametrize("name", [name for _, _, name in CASES])
def test_the_fixed_program_is_not_accused(server: Server, name: str) -> None:
    url = server.sqlalchemy_url("victim")
    with victim(name, "fixed", url) as pid:
        status, report = doctor(pid, "--watch", WATCH, "--url", url)
    assert report["findings"] == []
    assert status == 0


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_program_is_not_accused(server: Server, name: str) -> None:
    url = server.sqlalchemy_url("victim")
    with victim("healthy", name, url) as pid:
        status, report = doctor(pid, "--watch", WATCH, "--url", url)
    assert report["findings"] == []
    assert status == 0

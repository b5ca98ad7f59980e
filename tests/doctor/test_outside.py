"""`poolstart doctor PID`: broken programs are found out, and healthy ones are never accused."""

import pytest

from harness.postgres.server import Server
from tests.support.victims import doctor, victim

WATCH = "2"

SURE = ("certain", "proven")

BROKEN = {
    "fork": ("shared_socket", SURE),
    "pool": ("shared_socket", SURE),
    "executor": ("shared_socket", SURE),
    "forkserver": ("shared_socket", SURE),
    "raw": ("shared_socket", SURE),
    "both": ("shared_socket", SURE),
    "reading": ("shared_socket", SURE),
    "stolen": ("interleaved", SURE),
    "lock": ("inherited_lock", ("risk",)),
    "pool_lock": ("inherited_lock", ("risk",)),
    "import_lock": ("inherited_lock", ("risk",)),
    "orphan": ("orphaned_backend", SURE),
    "transaction": ("uncommitted_parent", SURE),
}
"""By victim: the hazard that is reported, and the certainties that are right."""

NEED_SERVER = ("orphan", "transaction")
"""Victims that only the server's view shows."""

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


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_program_is_found_out(server: Server, name: str) -> None:
    hazard, certainties = BROKEN[name]
    url = server.sqlalchemy_url("victim")
    with victim(name, "broken", url) as pid:
        status, report = doctor(pid, "--watch", WATCH, *(("--url", url) if name in NEED_SERVER else ()))
    found = {finding["hazard"]: finding["certainty"] for finding in report["findings"]}
    assert found.keys() == {hazard}, report
    assert found[hazard] in certainties
    assert status == (1 if certainties == SURE else 0)


@pytest.mark.parametrize("name", BROKEN)
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

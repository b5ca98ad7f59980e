"""Processes of another user: what could not be inspected is reported, and everything else is."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.doctor.evidence import netlink
from harness.doctor.evidence.tree import Process
from harness.doctor.examine import _limits, examine
from harness.doctor.proof.programs import POOLSTART, doctor, observed, victim
from harness.postgres.server import Server
from harness.system.environment import environment
from harness.system.errors import PoolstartError

NOBODY = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def not_inspected(report: dict[str, Any]) -> list[str]:
    """What could not be inspected; but that a busy machine shows too little is no matter of permission."""
    return [note for note in report["not_inspected"] if "less busy" not in note]


@pytest.mark.parametrize(("variant", "found"), [("broken", ["shared_socket"]), ("fixed", [])])
def test_root_sees_workers_that_have_become_another_user(
    server: Server, variant: str, found: list[str]
) -> None:
    with victim("nobody", variant, server.sqlalchemy_url("victim")) as pid:
        _, report = doctor(pid, "--watch", "1.5")
    assert [finding["hazard"] for finding in report["findings"]] == found
    assert not_inspected(report) == []


def test_workers_that_have_become_another_user_report_too(server: Server, tmp_path: Path) -> None:
    report = observed("nobody", "broken", server.sqlalchemy_url("victim"), tmp_path / "report.json")
    assert ("shared_socket", "certain") in [
        (each["hazard"], each["certainty"]) for each in report["findings"]
    ]


def test_another_users_process_is_an_error_that_says_what_to_do(server: Server) -> None:
    read, write = os.pipe()
    with victim("nobody", "broken", server.sqlalchemy_url("victim")) as pid:
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                examine(pid, 0.5)
            except PoolstartError as error:
                os.write(write, str(error).encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    os.close(write)
    with open(read) as file:
        text = file.read()
    assert text.startswith("the descriptors of process ")
    assert text.endswith("; run poolstart doctor as its user, or as root")


def test_what_cannot_be_read_is_listed() -> None:
    mine = Process(os.getpid(), 1, "app", 1.0, 1, 4096, True)
    other = Process(2**22 - 1, os.getpid(), "app", 2.0, 1, 4096, False)
    [note, *_] = _limits({mine.pid: mine, other.pid: other}, {}, [], {})
    assert note == f"descriptors of {other.pid}, which belong to another user: run as root"


def unshared(*kinds: str) -> bool:
    """Whether this machine permits namespaces of these kinds."""
    command = ["unshare", *kinds, "--fork", "true"]
    return bool(shutil.which("unshare")) and subprocess.run(command, check=False).returncode == 0


PROGRAM = """
import os
import sqlalchemy
engine = sqlalchemy.create_engine(os.environ["VICTIM_URL"])
engine.connect().close()
if os.fork():
    os.wait()
else:
    engine.connect().close()
    os._exit(0)
"""


def test_processes_of_another_pid_namespace_report_and_what_their_pids_hide_is_listed(
    server: Server, tmp_path: Path
) -> None:
    if not unshared("--pid"):
        pytest.skip("this machine permits no PID namespace")
    report = tmp_path / "report.json"
    command = [*POOLSTART, "doctor", "--json-file", report, "--", "unshare", "--pid", "--fork"]
    variables = {**environment(), "VICTIM_URL": server.sqlalchemy_url("victim")}
    subprocess.run([*command, sys.executable, "-c", PROGRAM], env=variables, check=True, timeout=300)
    content = json.loads(report.read_text())
    assert [finding["hazard"] for finding in content["findings"]] == ["shared_socket"]
    assert content["notes"] == ["who outlives whom among 1, 2, which are pids of another PID namespace"]


@pytest.mark.parametrize(("variant", "found"), [("broken", ["shared_socket"]), ("fixed", [])])
def test_connections_of_another_network_namespace_are_watched(
    server: Server, variant: str, found: list[str]
) -> None:
    if not unshared("--net"):
        pytest.skip("this machine permits no network namespace")
    with victim("network", variant, server.sqlalchemy_url("victim")) as pid:
        _, report = doctor(pid, "--watch", "1.5")
    assert [finding["hazard"] for finding in report["findings"]] == found
    assert report["inspected"]["held_by_several"] == 1
    assert not_inspected(report) == []


def test_a_network_namespace_that_may_not_be_entered_is_listed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is without root: who waits for an answer is seen all the same."""
    if not unshared("--net"):
        pytest.skip("this machine permits no network namespace")

    def refused(process: int) -> None:
        raise PermissionError(1, "setns")

    monkeypatch.setattr(netlink, "_entered", refused)
    with victim("network", "fixed", server.sqlalchemy_url("victim")) as pid:
        evidence = examine(pid, 0.5)
    [note] = evidence.notes
    assert note.startswith("what is sent over port ")
    assert note.endswith(": it is in another network namespace, run as root")

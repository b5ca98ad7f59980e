"""`poolstart doctor PID`: broken programs are found, and healthy ones are never accused."""

import os
import signal
import subprocess
import sys

import pytest

from harness.doctor import detected, fixes
from harness.doctor.evidence import pages, tree
from harness.doctor.examine import examine
from harness.doctor.proof.programs import doctor, victim
from harness.postgres.server import Server
from harness.processes import proc
from tests.support.victims import HAZARDS, broken, healthy, poolstart, together

WATCH = "2"

STACKS = {"lock": "inherited_lock", "pool_lock": "pool_lock", "import_lock": "import_lock"}
"""Victims that hang, and what their stacks prove."""


@pytest.mark.parametrize("names", broken())
def test_broken_programs_are_found(server: Server, names: tuple[str, ...]) -> None:
    url = server.sqlalchemy_url("victim")

    def look(name: str) -> object:
        row = detected.rows()[HAZARDS[name]]
        with victim(name, "broken", url) as pid:
            status, report = doctor(pid, "--watch", WATCH, *(("--url", url) if row.url else ()))
        found = {finding["hazard"]: finding["certainty"] for finding in report["findings"]}
        right = found.keys() == ({row.outside_as or HAZARDS[name]} if row.outside else set())
        right &= set(found.values()) <= set(row.outside)
        right &= status == (1 if {"certain", "proven"} & set(found.values()) else 0)
        return "" if right else (status, report)

    assert together(look, names) == dict.fromkeys(names, "")


@pytest.mark.parametrize("names", broken())
def test_fixed_programs_are_not_accused(server: Server, names: tuple[str, ...]) -> None:
    url = server.sqlalchemy_url("victim")

    def look(name: str) -> object:
        with victim(name, "fixed", url) as pid:
            status, report = doctor(pid, "--watch", WATCH, "--url", url)
        return status, report["findings"]

    assert together(look, names) == dict.fromkeys(names, (0, []))


@pytest.mark.parametrize("names", healthy())
def test_healthy_programs_are_not_accused(server: Server, names: tuple[str, ...]) -> None:
    url = server.sqlalchemy_url("victim")

    def look(name: str) -> object:
        with victim("healthy", name, url) as pid:
            status, report = doctor(pid, "--watch", WATCH, "--url", url)
        return status, report["findings"]

    assert together(look, names) == dict.fromkeys(names, (0, []))


def test_stacks_prove_which_lock_a_worker_waits_for(server: Server) -> None:
    url = server.sqlalchemy_url("victim")

    def look(name: str) -> object:
        with victim(name, "broken", url) as pid:
            _, report = doctor(pid, "--watch", WATCH, "--stacks")
        return [(finding["hazard"], finding["certainty"]) for finding in report["findings"]]

    assert together(look, STACKS) == {name: [(hazard, "proven")] for name, hazard in STACKS.items()}


def test_a_worker_that_waits_for_a_signal_is_a_risk_and_its_stack_clears_it(server: Server) -> None:
    with victim("waits_for_signal", "", server.sqlalchemy_url("victim")) as pid:
        status, report = doctor(pid, "--watch", WATCH)
        cleared, with_stacks = doctor(pid, "--watch", WATCH, "--stacks")
    assert [finding["certainty"] for finding in report["findings"]] == ["risk"]
    assert with_stacks["findings"] == []
    assert (status, cleared) == (0, 0)


def test_a_process_that_does_not_exist_is_an_error_in_one_line() -> None:
    done = poolstart("doctor", str(2**22 - 1))
    assert done.returncode == 2
    assert done.stderr == (
        f"poolstart: there is no process {2**22 - 1}; name a running one: see `ps -ef --forest`\n"
    )


def test_a_process_that_has_ended_is_an_error_in_one_line() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    done = poolstart("doctor", str(child))
    os.waitpid(child, 0)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"poolstart: process {child} has ended; ")


def test_a_thread_of_the_kernel_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = proc.ProcStat(37, "kworker/0:1", "I", 2, 0, 0, 0, 1, 5, 0)
    monkeypatch.setattr(proc, "stat", lambda pid: kernel)
    monkeypatch.setattr(proc, "command_line", lambda pid: "")
    assert tree.problem(37) == "process 37 is a thread of the kernel"


def test_the_sessions_of_each_process_are_listed_with_their_states(server: Server) -> None:
    url = server.sqlalchemy_url("victim")
    with victim("fork", "broken", url) as pid:
        done = poolstart("doctor", str(pid), "--watch", "1", "--url", url)
        _, report = doctor(pid, "--watch", "1", "--url", url)
    assert f"Sessions: 1 of process {pid} (" in done.stdout
    assert list(report["inspected"]["sessions"]) == [str(pid)]
    assert "poolstart doctor -- COMMAND" in done.stdout


def test_no_secret_of_a_command_line_is_shown() -> None:
    shown = tree.shown("python app.py postgresql://app:secret@db:5432/shop?password=secret --password secret")
    assert shown == "python app.py postgresql://db:5432/shop --password ***"


def test_what_starts_workers_is_recognized_behind_a_long_path() -> None:
    words = ["x" * 200, "gunicorn"]
    code = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        # Popen returns a moment before the kernel shows the new command line.
        assert child.stdout
        child.stdout.readline()
        process = tree.read(child.pid)
    assert process
    assert fixes.framework([process.command]) == "gunicorn"


def test_asking_a_server_that_refuses_shows_no_password(server: Server) -> None:
    url = server.sqlalchemy_url("x").replace("poolstart@", "nobody:secret@")
    with victim("healthy", "spawned", server.sqlalchemy_url("victim")) as pid:
        done = poolstart("doctor", str(pid), "--url", url)
    assert done.returncode == 2
    assert done.stderr.startswith("poolstart: --url: ")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


PARENT_ENDS = """
import os, time
held = os.urandom(64 * 2**20)
if os.fork() == 0:
    time.sleep(600)
    os._exit(0)
print(flush=True)
input()
"""


def test_memory_of_a_parent_that_has_ended_was_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pages become the worker's own because no other process has them any more."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT_ENDS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdin
        assert parent.stdout
        parent.stdout.readline()
        read = pages.read

        def read_and_end(pid: int) -> object:
            found = read(pid)
            parent.stdin.close()
            os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
            return found

        # It ends after the first look at the memory of its worker.
        monkeypatch.setattr(pages, "read", read_and_end)
        try:
            evidence = examine(parent.pid, 0.5)
        finally:
            os.killpg(parent.pid, signal.SIGKILL)
    assert evidence.copies
    assert not evidence.pages


def test_a_process_that_started_it_and_cannot_be_read_may_hold_its_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The master of gunicorn, if the doctor is run as the user of its workers; not the shell before it."""
    stats = {
        pid: proc.ProcStat(pid, name, "S", ppid, 0, 0, 0, 1, 5, 0)
        for pid, name, ppid in ((12, "gunicorn", 11), (11, "gunicorn", 10), (10, "bash", 1))
    }
    monkeypatch.setattr(proc, "stat", stats.get)
    monkeypatch.setattr(tree, "_readable", lambda _: False)
    worker = tree.Process(12, 11, "gunicorn: worker", 1.0, 1, 0, True)
    assert tree.hidden(12, {12: worker}) == [11]

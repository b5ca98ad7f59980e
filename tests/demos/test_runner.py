"""Every demo does what it shows: as it stands and cured, under every start method."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from packaging.version import Version

from harness.demos import catalogue, runner
from harness.demos.catalogue import START_METHODS, End
from harness.demos.runner import DemoRun
from harness.postgres import locate
from harness.postgres.server import Server
from harness.processes import proc
from harness.processes.activity import activity_of
from harness.releases import catalogue as releases
from harness.releases import interpreters
from tests.support.command import POOLSTART
from tests.support.remains import scene

Run = Callable[..., DemoRun]

TOGETHER = 4
"""Programs that run at the same time: those that hang are waited for."""


@pytest.fixture(scope="module")
def run(server: Server) -> Iterator[Run]:
    """Each program once, several at a time."""
    threads = ThreadPoolExecutor(TOGETHER)
    runs = {
        (demo.name, method, cured): threads.submit(runner.run, demo, method, cured, server)
        for demo, method, cured in product(catalogue.CATALOGUE, START_METHODS, (False, True))
    }
    yield lambda name, start_method, cured=False: runs[name, start_method, cured].result()
    threads.shutdown(cancel_futures=True)


def said(seen: DemoRun, who: str) -> str:
    return " ".join(event.what for event in seen.story if event.who == who)


@pytest.mark.parametrize("cured", [False, True], ids=["as it stands", "cured"])
@pytest.mark.parametrize("start_method", START_METHODS)
@pytest.mark.parametrize("demo", catalogue.CATALOGUE, ids=lambda demo: demo.name)
def test_it_ends_as_expected_and_its_story_has_all_parts(
    run: Run, demo: catalogue.Demo, start_method: str, cured: bool
) -> None:
    seen = run(demo.name, start_method, cured)
    assert seen.end is demo.expected(start_method, cured), (seen.story, seen.errors)
    assert {"parent", "worker", "user"} <= {event.who for event in seen.story}
    assert seen.seconds < demo.deadline


def test_one_fork_is_two_processes_that_run_the_same_program(run: Run) -> None:
    seen = run("one_fork", "fork")
    assert "Runs the rest of the program." in said(seen, "worker")
    assert "Its memory is the parent's" in said(seen, "worker")


def test_a_worker_that_leaves_by_exit_runs_no_more_of_the_program(run: Run) -> None:
    seen = run("one_fork", "fork", cured=True)
    assert "Runs the rest of the program." not in said(seen, "worker")


@pytest.mark.parametrize("start_method", ["forkserver", "spawn"])
def test_a_worker_made_by_execve_has_memory_of_its_own(run: Run, start_method: str) -> None:
    assert "Its memory is its own" in said(run("one_fork", start_method), "worker")


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_the_kernel_sees_execve_after_spawn_and_none_after_fork(run: Run) -> None:
    forked, spawned = (said(run("one_fork", method), "kernel") for method in ("fork", "spawn"))
    if "may not trace" in forked:
        pytest.skip("strace may not trace here")
    assert "which calls no execve" in forked
    assert "which calls execve at once" in spawned
    assert "no execve" not in spawned


def test_worker_and_parent_wait_where_the_lock_is(run: Run) -> None:
    seen = run("held_lock", "fork")
    assert "Waits for ever: held_lock.py, line" in said(seen, "worker")
    assert "in work" in said(seen, "worker")
    assert "Waits for ever: held_lock.py, line" in said(seen, "parent")
    assert "Has the lock" in said(run("held_lock", "fork", cured=True), "worker")


@pytest.mark.parametrize("start_method", ["forkserver", "spawn"])
def test_without_a_guard_workers_read_the_file_again_and_never_work(run: Run, start_method: str) -> None:
    seen = run("unguarded_frame", start_method)
    assert said(seen, "worker").count("Reads the large file.") >= 2
    assert "Has its answer" not in said(seen, "parent")
    assert "before the current process has finished its bootstrapping phase" in said(seen, "user")
    cured = run("unguarded_frame", start_method, cured=True)
    assert "Reads the large file." not in said(cured, "worker")
    assert "Has its answer" in said(cured, "parent")


def test_a_forked_worker_inherits_the_frame(run: Run) -> None:
    seen = run("unguarded_frame", "fork")
    assert "Reads the large file." not in said(seen, "worker")
    assert "Has its answer" in said(seen, "parent")


def test_a_forked_worker_finds_the_parents_connection(run: Run) -> None:
    seen = run("inherited_engine", "fork")
    assert "Connects to PostgreSQL, and has a connection that the parent opened." in said(seen, "worker")
    assert said(seen, "server") == "Has one session for parent and worker."
    assert said(run("inherited_engine", "fork", cured=True), "server") == "Has a session for each."
    assert said(run("inherited_engine", "spawn"), "server") == "Has a session for each."


def test_a_message_is_torn_in_the_same_three_pieces_every_time(run: Run) -> None:
    for start_method in START_METHODS:  # a socket that is handed over is shared, however the worker started
        seen = run("torn_message", start_method)
        assert "expects Hello and receives Hel." in said(seen, "parent")
        assert "receives loWor." in said(seen, "worker")
        assert "receives ld." in said(seen, "parent")
        cured = run("torn_message", start_method, cured=True)
        assert "receives Hello." in said(cured, "parent")
        assert "receives World." in said(cured, "worker")
        assert "reads A." in said(cured, "parent")


def test_libpq_reports_the_torn_message(run: Run) -> None:
    assert 'lost synchronization with server: got message type "o", length 1869573999' in said(
        run("torn_message", "fork"), "parent"
    )
    assert "reads A." in said(run("torn_message", "spawn"), "parent")


def test_the_initializer_runs_once_a_worker_and_the_parents_session_lives(run: Run) -> None:
    for start_method in START_METHODS:
        seen = run("initializer", start_method)
        assert said(seen, "worker").count("Runs the initializer") == 2
        assert "Has a session of its own." in said(seen, "worker")
        assert "Has the session it had." in said(seen, "parent")


def test_a_forked_worker_holds_the_parents_socket_unless_there_was_none(run: Run) -> None:
    assert "Holds 1 of the parent's sockets" in said(run("initializer", "fork"), "worker")
    for start_method, cured in (("fork", True), ("spawn", False), ("forkserver", False)):
        assert "Holds 0 of the parent's sockets" in said(run("initializer", start_method, cured), "worker")


def test_a_program_that_exceeds_its_deadline_is_killed(server: Server) -> None:
    impatient = replace(catalogue.get("unguarded_frame"), deadline=0.0)
    assert runner.run(impatient, "spawn", False, server).end is End.TIMED_OUT


def test_a_program_that_fails_ends_as_failed(server: Server) -> None:
    missing = replace(catalogue.get("held_lock"), name="no_such_program")
    seen = runner.run(missing, "fork", False, server)
    assert seen.end is End.FAILED
    assert "no_such_program" in seen.errors


def test_a_process_that_ends_while_it_is_examined_is_no_error() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert activity_of(ended.pid) == ""
    assert proc.session_members(ended.pid) == []
    assert not proc.running(ended.pid)


def test_every_demo_has_a_program_and_every_program_is_a_demo() -> None:
    programs = {path.name for path in Path(catalogue.__file__).parent.glob("all/*.py")} - {"__init__.py"}
    assert programs == {f"{demo.name}.py" for demo in catalogue.CATALOGUE}


def test_a_demo_that_hangs_leaves_no_process_behind(server: Server) -> None:
    with scene() as there:
        there.environment[locate.RUN] = server.to_json()
        command = there.start(POOLSTART, "demo", "2", stdout=subprocess.PIPE)
        printed, _ = command.communicate(timeout=300)
        assert command.returncode == 0
        assert "It ended: hung" in printed
        there.wait_until_gone()


NEWEST = {
    ".".join(release.version.split(".")[:2]): release.version for release in releases.catalogue().releases
}
"""By series, the newest release of the catalogue."""


OF_SQLALCHEMY = ("inherited_engine", "torn_message", "initializer")
"""The demos that import it: a release cannot change the others."""


def of_release(release: str, demo: catalogue.Demo) -> object:
    here = release == NEWEST[max(NEWEST, key=Version)]
    marker = pytest.mark.slow if demo.name in OF_SQLALCHEMY and not here else pytest.mark.soak
    return pytest.param(release, demo, marks=marker, id=f"{release}-{demo.name}")


@pytest.mark.parametrize(
    ("release", "demo"),
    [of_release(release, demo) for release in NEWEST.values() for demo in catalogue.CATALOGUE],
)
def test_it_ends_so_with_the_newest_release_of_each_series(
    server: Server, release: str, demo: catalogue.Demo
) -> None:
    python = interpreters.of_release(release)
    expected = {way: demo.expected(*way) for way in product(START_METHODS, (False, True))}
    with ThreadPoolExecutor(TOGETHER) as threads:
        runs = threads.map(lambda way: runner.run(demo, *way, server, python=python), expected)
        seen = dict(zip(expected, runs, strict=True))
    assert {way: run.end for way, run in seen.items()} == expected, seen


@pytest.mark.slow
def test_sqlalchemy_1_4_refuses_a_pool_size_for_sqlite(server: Server) -> None:
    demo, python = catalogue.get("inherited_engine"), interpreters.of_release(NEWEST["1.4"])
    seen = runner.run(demo, "fork", False, server, python=python)
    assert f"SQLAlchemy {NEWEST['1.4']} refuses: Invalid argument(s) 'pool_size'" in said(seen, "user")
    assert "a NullPool" in " ".join(event.what for event in seen.story)
    assert "Has one session for parent and worker." in said(seen, "server")


def test_a_program_runs_by_its_path_too(server: Server, tmp_path: Path) -> None:
    program = Path(catalogue.__file__).parent / "all" / "initializer.py"
    done = subprocess.run(
        [sys.executable, program, "--start-method", "spawn"],
        env={**os.environ, locate.RUN: server.to_json()},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
    )
    assert "Has a session of its own." in done.stdout, done.stderr

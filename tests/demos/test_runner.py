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


EVERY = "fork forkserver spawn"

SAID: list[tuple[str, str, bool, str, tuple[str, ...]]] = [
    ("one_fork", "fork", False, "worker", ("Runs the rest of the program.", "Its memory is the parent's")),
    ("one_fork", "forkserver spawn", False, "worker", ("Its memory is its own",)),
    ("held_lock", "fork", False, "worker", ("Waits for ever: held_lock.py, line", "in work")),
    ("held_lock", "fork", False, "parent", ("Waits for ever: held_lock.py, line",)),
    ("held_lock", "fork", True, "worker", ("Has the lock",)),
    # Without a guard workers read the file again and never work; a forked worker inherits the frame.
    ("unguarded_frame", "forkserver spawn", False, "user", ("has finished its bootstrapping phase",)),
    ("unguarded_frame", "forkserver spawn", True, "parent", ("Has its answer",)),
    ("unguarded_frame", "fork", False, "parent", ("Has its answer",)),
    ("inherited_engine", "fork", False, "worker", ("has a connection that the parent opened.",)),
    ("inherited_engine", "fork", False, "server", ("Has one session for parent and worker.",)),
    ("inherited_engine", "fork", True, "server", ("Has a session for each.",)),
    ("inherited_engine", "spawn", False, "server", ("Has a session for each.",)),
    # A socket that is handed over is shared, however the worker started.
    ("torn_message", EVERY, False, "parent", ("expects Hello and receives Hel.", "receives ld.")),
    ("torn_message", EVERY, False, "worker", ("receives loWor.",)),
    ("torn_message", EVERY, True, "parent", ("receives Hello.", "reads A.")),
    ("torn_message", EVERY, True, "worker", ("receives World.",)),
    ("torn_message", "fork", False, "parent", ('server: got message type "o", length 1869573999',)),
    ("torn_message", "spawn", False, "parent", ("reads A.",)),
    ("initializer", EVERY, False, "worker", ("Has a session of its own.",)),
    ("initializer", EVERY, False, "parent", ("Has the session it had.",)),
    # A forked worker holds the parent's socket, unless there was none.
    ("initializer", "fork", False, "worker", ("Holds 1 of the parent's sockets",)),
    ("initializer", "fork", True, "worker", ("Holds 0 of the parent's sockets",)),
    ("initializer", "forkserver spawn", False, "worker", ("Holds 0 of the parent's sockets",)),
]
"""Demo, start methods, whether cured, a participant, and parts of its story."""

NOT_SAID = [
    ("one_fork", "fork", True, "worker", ("Runs the rest of the program.",)),
    ("unguarded_frame", "forkserver spawn", False, "parent", ("Has its answer",)),
    ("unguarded_frame", "forkserver spawn", True, "worker", ("Reads the large file.",)),
    ("unguarded_frame", "fork", False, "worker", ("Reads the large file.",)),
]


@pytest.mark.parametrize(
    ("shown", "case"), [*((True, case) for case in SAID), *((False, case) for case in NOT_SAID)]
)
def test_its_story_shows_what_it_is_about(
    run: Run, shown: bool, case: tuple[str, str, bool, str, tuple[str, ...]]
) -> None:
    demo, methods, cured, who, texts = case
    for method, text in product(methods.split(), texts):
        assert (text in said(run(demo, method, cured), who)) == shown, (method, text)


@pytest.mark.parametrize("method", START_METHODS)
def test_what_a_story_repeats(run: Run, method: str) -> None:
    assert said(run("initializer", method), "worker").count("Runs the initializer") == 2
    if method != "fork":
        assert said(run("unguarded_frame", method), "worker").count("Reads the large file.") >= 2


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_the_kernel_sees_execve_after_spawn_and_none_after_fork(run: Run) -> None:
    forked, spawned = (said(run("one_fork", method), "kernel") for method in ("fork", "spawn"))
    if "may not trace" in forked:
        pytest.skip("strace may not trace here")
    assert "which calls no execve" in forked
    assert "which calls execve at once" in spawned
    assert "no execve" not in spawned


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

"""Every process and directory has an owner at every moment, and ends with it."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.processes import groups, supervision
from harness.processes.supervision import SOCKET, SOCKET_PATH, WATCHDOGS, Supervision
from harness.system.errors import PoolstartError
from tests.support.remains import LIMIT, Scene, scene

SLEEPER = "[sys.executable, '-c', 'import time; time.sleep(600)']"

HOLDS = f"""
import sys
from harness.processes.supervision import Supervision
supervision = Supervision()
(supervision.directory() / "file").touch()
supervision.start({SLEEPER})
print("holds", flush=True)
sys.stdin.read()
"""


def watchdogs(here: Scene) -> list[int]:
    return sorted(here.processes("watchdog.sh"))


def holder(here: Scene, program: str = HOLDS) -> "subprocess.Popen[str]":
    """Start an owner and wait until it holds a directory, a process, and both its watchdogs."""
    owner = here.python("-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert owner.stdout.readline() == "holds\n"
    # In the midst of its exec a process has no command line.
    here.wait_for(lambda: len(watchdogs(here)) == WATCHDOGS, "both have begun")
    return owner


@pytest.mark.parametrize("victims", [(0,), (0, 1), ("owner",), (1, "owner")])
def test_any_two_of_an_owner_and_its_watchdogs_may_be_killed(victims: tuple[int | str, ...]) -> None:
    with scene() as here:
        owner = holder(here)
        pids = [*watchdogs(here), owner.pid]
        here.wait_for(lambda: here.processes("time.sleep"), "its process has begun")
        for victim in victims:
            os.kill(pids[-1 if victim == "owner" else int(victim)], signal.SIGKILL)
        owner.communicate()  # where it is alive, the end of its input is its own
        here.wait_until_gone()


WAITS = {
    "for its input": "sys.stdin.read()",
    "for a process": "[process] = supervision._processes; process.wait()",
    "in a C library": "import ctypes; ctypes.CDLL(None).pause()",
}


@pytest.mark.parametrize("waits", WAITS.values(), ids=WAITS)
def test_watchdogs_that_were_killed_are_replaced_while_their_owner_waits(waits: str) -> None:
    with scene() as here:
        owner = holder(here, HOLDS.replace("sys.stdin.read()", waits))
        first = watchdogs(here)
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        here.wait_for(lambda: len(set(watchdogs(here)) - set(first)) == len(first), "they are replaced")
        owner.kill()
        owner.wait(LIMIT)
        here.wait_until_gone()


INTERRUPTED = f"from harness.processes import interrupts\ninterrupts.first_counts()\n{HOLDS}"


def test_an_interrupt_after_the_end_of_both_watchdogs_leaves_nothing() -> None:
    with scene() as here:
        owner = holder(here, INTERRUPTED)
        for pid in watchdogs(here):
            os.kill(pid, signal.SIGKILL)
        owner.send_signal(signal.SIGINT)
        assert owner.wait(LIMIT) == 130
        here.wait_until_gone()


def sockets(pid: int) -> int:
    """How many a process has open."""
    found = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        # It may be closed meanwhile.
        with contextlib.suppress(FileNotFoundError):
            found += os.readlink(descriptor).startswith("socket:")
    return found


def test_nor_does_one_before_it() -> None:
    """They are asked to clean up, and die before they have."""
    with scene() as here:
        owner = holder(here, INTERRUPTED)
        first = watchdogs(here)
        for pid in first:
            os.kill(pid, signal.SIGSTOP)
        before = sockets(owner.pid)
        owner.send_signal(signal.SIGINT)
        here.wait_for(lambda: sockets(owner.pid) <= before - len(first), "they begin to clean up")
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        assert owner.wait(LIMIT) == 130
        here.wait_until_gone()


def test_the_end_of_every_python_leaves_nothing() -> None:
    """What `pkill -9 python` does."""
    with scene() as here:
        owner = here.python("-c", HOLDS, stdout=subprocess.PIPE)
        owner.stdout.readline()
        for pid in here.processes():
            # The watchdogs are at work as soon as the first of them is gone.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if Path(f"/proc/{pid}/comm").read_text().startswith("python"):
                    os.kill(pid, signal.SIGKILL)
        owner.wait()
        here.wait_until_gone()


KILLED_WHEN = """
import os, signal, subprocess, sys
from harness.processes import groups, supervision
from harness.processes.supervision import Supervision

def die(*arguments, **options):
    os.kill(os.getpid(), signal.SIGKILL)

owned = Supervision()
owned.directory()
"""


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("supervision.os.mkdir = die\nowned.directory()", id="announced, not made"),
        pytest.param(
            "make = os.mkdir\n"
            "supervision.os.mkdir = lambda path, mode: (make(path, mode), die())\n"
            "owned.directory()",
            id="made, not returned",
        ),
        pytest.param(
            f"supervision._OwnedProcess.__hash__ = die\nowned.start({SLEEPER})",
            id="started, not in the owner's table",
        ),
        pytest.param(
            "with owned.owning_forks():\n"
            f"    subprocess.Popen({SLEEPER}, preexec_fn=lambda: None)\n"
            "    die()",
            id="started by other code, not registered",
        ),
    ],
)
def test_an_owner_may_be_killed_between_two_steps(moment: str) -> None:
    with scene() as here:
        assert here.python("-c", KILLED_WHEN + moment).wait(300) == -signal.SIGKILL
        here.wait_until_gone()


def test_an_owner_may_be_killed_between_fork_and_exec() -> None:
    """The child waits for its parent's death before it becomes the program."""
    program = KILLED_WHEN + (
        "tell = Supervision.own_group\n"
        "def late(self, group, end):\n"
        "    parent = os.getppid()\n"
        "    os.kill(parent, signal.SIGKILL)\n"
        "    while os.getppid() == parent: pass\n"
        "    tell(self, group, end)\n"
        "Supervision.own_group = late\n"
        f"owned.start({SLEEPER})\n"
    )
    with scene() as here:
        assert here.python("-c", program).wait(300) == -signal.SIGKILL
        here.wait_until_gone()


def test_a_program_that_cannot_be_started_is_not_owned(tmp_path: Path) -> None:
    released: list[int] = []
    with Supervision() as owned:
        owned.release_group = released.append  # type: ignore[method-assign]
        with pytest.raises(FileNotFoundError):
            owned.start([tmp_path / "nothing"])
    assert len(released) == 1


def test_a_stopped_process_is_released() -> None:
    """Another process may have its number by the time the owner ends."""
    with Supervision() as owned, Supervision() as other:
        process = owned.start([sys.executable, "-c", "import time; time.sleep(600)"])
        owned.stop(process)
        assert process.returncode == -signal.SIGKILL
        # Stands in for the process that has the number now.
        again = other.start([sys.executable, "-c", "import time; time.sleep(600)"])
        owned.own_group(again.pid, "SIGKILL")
        owned.release_group(again.pid)
        owned.close()
        assert again.poll() is None


def test_a_directory_whose_sockets_would_have_too_long_a_path_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # pytest's own directories have long paths.
    with tempfile.TemporaryDirectory(dir="/tmp") as short, Supervision() as owned:
        room = SOCKET_PATH - SOCKET - len("/poolstart-12345678")
        fits = Path(short, "x" * (room - len(short) - 1))
        fits.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(fits))
        assert len(f"{owned.directory()}/pymp-12345678/listener-12345678") == SOCKET_PATH
        with pytest.raises(PoolstartError, match="set TMPDIR to one that is 3 bytes shorter"):
            owned.directory(room=3)


def test_a_directory_that_cannot_be_made_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc")
    with (
        Supervision() as owned,
        pytest.raises(PoolstartError, match=r"no directory can be made.*; set TMPDIR"),
    ):
        owned.directory()


def test_what_was_handed_over_is_gone_when_hand_over_returns() -> None:
    program = (
        "import sys, os\nfrom harness.processes import supervision\nowned = supervision.Supervision()\n"
        f"path = owned.directory()\nprocess = owned.start({SLEEPER})\nsupervision.hand_over(60)\n"
        "print(path.exists())\nsys.stdout.flush()\nos._exit(0)"
    )
    with scene() as here:
        done = here.python("-c", program, stdout=subprocess.PIPE)
        assert done.communicate(timeout=300)[0] == "False\n"
        # Killed before the directory was removed, and not waited for: a busy machine may take a moment.
        here.wait_until_gone()


def test_watchdogs_allow_what_owners_do() -> None:
    text = supervision.WATCHDOG.read_text()
    assert f"tries={groups.GRACE / 0.1:.0f}\nwhile [ $tries -gt 0 ] && waits" in text


SHARES = """
import multiprocessing, time
semaphore = multiprocessing.get_context("spawn").Semaphore()
print(semaphore._semlock.name, flush=True)
time.sleep(600)
"""

CREATES_A_SEGMENT = """
import ctypes, time
print(ctypes.CDLL(None).shmget(0, 4096, 0o600), flush=True)
time.sleep(600)
"""
"""As PostgreSQL does, a moment before its pid file names the segment."""

HOLDS_WHAT_SHARES = """
import subprocess, sys
from harness.processes.supervision import Supervision
supervision = Supervision()
program, end = sys.argv[1:]
process = supervision.start([sys.executable, "-c", program], end=end, stdout=subprocess.PIPE)
print(process.stdout.readline().decode().strip(), flush=True)
order = sys.stdin.readline().strip()
if order == "stop":
    supervision.stop(process)
    print("stopped", flush=True)
    sys.stdin.readline()
"""


TRACKS = {
    b"": True,
    b"python\0-c\0from x.resource_tracker import main;main(5)\0": True,
    b"python\0-c\0pass\0": False,
}
"""Command lines: in the midst of its exec a process has none, and may become a tracker."""


@pytest.mark.parametrize(("command", "tracks"), TRACKS.items())
def test_owners_know_who_is_or_may_become_a_tracker(
    command: bytes, tracks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Supervision() as owned:
        process = owned.start(["sleep", "600"])
        # That moment is too short to be met on purpose.
        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_bytes", lambda _: command)
            found = groups.running(process.pid)
    assert found == {process.pid: tracks}


@pytest.mark.parametrize(("command", "tracks"), TRACKS.items())
def test_watchdogs_know_it_too(command: bytes, tracks: bool, tmp_path: Path) -> None:
    (tmp_path / "cmdline").write_bytes(command)
    [function] = [
        line for line in supervision.WATCHDOG.read_text().splitlines() if line.startswith("is_tracker()")
    ]
    asked = subprocess.run(["sh", "-c", f"{function}; is_tracker ..{tmp_path}"], timeout=300, check=False)
    assert asked.returncode == (0 if tracks else 1)


@pytest.mark.parametrize("way", ["stop", "leave", "killed"])
def test_what_a_group_shared_goes_with_it(way: str) -> None:
    """Its resource tracker would unlink it, and must not be killed before it has."""
    with scene() as here:
        owner = here.python(
            *("-c", HOLDS_WHAT_SHARES, SHARES, "SIGKILL"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        semaphore = Path(f"/dev/shm/sem.{owner.stdout.readline().strip().removeprefix('/')}")
        assert semaphore.exists()
        if way == "killed":
            owner.kill()
        else:
            owner.stdin.write(f"{way}\n")
            owner.stdin.flush()
        if way == "stop":
            assert owner.stdout.readline() == "stopped\n"
            assert not semaphore.exists()
            owner.kill()
        owner.wait(300)
        here.wait_until_gone()
        assert not semaphore.exists()


@pytest.mark.parametrize(("way", "end"), [("leave", "SIGQUIT"), ("killed", "SIGKILL")])
def test_a_segment_goes_with_its_creator_though_no_pid_file_names_it(way: str, end: str) -> None:
    with scene() as here:
        owner = here.python(
            *("-c", HOLDS_WHAT_SHARES, CREATES_A_SEGMENT, end),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        segment = {f"segment {owner.stdout.readline().strip()}"}
        assert here.left_of(segment)
        if way == "killed":
            owner.kill()
        owner.communicate(f"{way}\n", 60)
        here.wait_for(lambda: not here.left_of(segment), "it is freed", LIMIT)
        here.wait_until_gone()

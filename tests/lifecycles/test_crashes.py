"""No process outlives its run: whichever process is killed, all others end."""

import os
import signal
import subprocess

import pytest

from harness.lifecycles.cell import Cell
from harness.lifecycles.parent_handle import ParentHandle
from harness.lifecycles.profile import PROFILES
from harness.postgres import embedded
from harness.processes import proc
from harness.processes.errors import Rejected
from harness.processes.supervision import Supervision
from tests.support import broken_strategies
from tests.support.remains import Scene, postmaster, scene

PROGRAM = f"""
from harness.processes import interrupts
interrupts.first_counts()
from dataclasses import replace
from importlib import metadata
from harness.lifecycles.profile import PROFILES
from harness.lifecycles.cell import Cell
from harness.lifecycles.plan import measure
from harness.postgres import locate

with locate.server() as server:
    cell = Cell({broken_strategies.path("HANGS")!r}, "none")
    measure([cell], server, replace(PROFILES["quick"], deadline=600), release=metadata.version("sqlalchemy"))
"""


def one(here: Scene, containing: str) -> int:
    return min(here.processes(containing))


def hanging(here: Scene) -> int:
    """The pid of the worker that hangs; 0 as long as none does."""
    return sum(int(file.read_text()) for file in here.directory.glob(f"*/{broken_strategies.HANGING}"))


def parent_of(pid: int) -> int:
    found = proc.stat(pid)
    assert found
    return found.ppid


VICTIMS = {
    "run": lambda here, leader: leader,
    "parent": lambda here, leader: parent_of(hanging(here)),
    "worker": lambda here, leader: hanging(here),
    "postmaster": lambda here, leader: one(here, "postgres -D"),
}


@pytest.mark.parametrize(
    ("victim", "signal_number"),
    [*((victim, signal.SIGKILL) for victim in VICTIMS), ("run", signal.SIGINT)],
)
def test_nothing_is_left_after_any_process_of_a_run_is_killed(victim: str, signal_number: int) -> None:
    with scene() as here:
        run = here.python("-c", PROGRAM)
        here.wait_for(lambda: hanging(here), "a worker hangs")
        os.kill(VICTIMS[victim](here, run.pid), signal_number)
        if victim == "postmaster":
            # The worker still hangs, and the run waits for it until its user interrupts it.
            run.send_signal(signal.SIGINT)
        run.wait(300)
        here.wait_until_gone()


TRIAL = f"""
from harness.hazards import catalogue
from harness.hazards.runner import Trials
from harness.postgres import locate
from harness.system.errors import PoolstartError

with locate.server() as server, Trials(server) as trials:
    try:
        print(trials.run(catalogue.load("shared_socket"), {broken_strategies.path("WORKS_FOR_EVER")!r}))
    except PoolstartError as error:
        print(error)
"""


def test_the_directory_of_a_fork_server_is_removed_if_the_parent_of_its_trial_is_killed() -> None:
    with scene() as here:
        run = here.python("-c", TRIAL, stdout=subprocess.PIPE)
        here.wait_for(lambda: here.processes("multiprocessing.forkserver"), "a fork server")
        assert not [name for name in here.files() if name.startswith("pymp-")]
        server = proc.stat(next(iter(here.processes("multiprocessing.forkserver"))))
        assert server
        # The parent of the trial leads the session.
        os.kill(server.session, signal.SIGKILL)
        output, _ = run.communicate(timeout=300)
        assert "no result for shared_socket under " in output
        here.wait_until_gone()


def test_a_server_that_is_killed_during_a_run_is_reported_in_one_line() -> None:
    profile = PROFILES["quick"]
    with Supervision() as supervision:
        server = embedded.start(supervision)
        with ParentHandle(Cell("fork_dispose", "none"), server, profile, supervision) as parent:
            lifecycles = parent.lifecycles(2)
            next(lifecycles)
            os.kill(postmaster(server)[0], signal.SIGKILL)
            with pytest.raises(Rejected, match=r"^fork_dispose, dataframe none: .*server") as caught:
                next(lifecycles)
        assert "\n" not in str(caught.value)

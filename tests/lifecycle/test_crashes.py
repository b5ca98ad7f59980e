"""Nothing outlives its run: any one process may be killed, and all the others go."""

import os
import signal

import pytest

from tests.lifecycle import mutations
from tests.remains import Scene, scene

PROGRAM = f"""
from dataclasses import replace
from harness.lifecycle.profile import PROFILES
from harness.lifecycle.cell import Cell
from harness.lifecycle.supervisor import measure
from harness.postgres import locate

with locate.server() as server:
    measure(Cell({mutations.path("HANGS")!r}, "none"), server, replace(PROFILES["quick"], deadline=600))
"""


def one(here: Scene, containing: str) -> int:
    return min(here.processes(containing))


VICTIMS = {
    "supervisor": lambda here, leader: leader,
    "parent": lambda here, leader: one(here, "harness.lifecycle.parent"),
    "worker": lambda here, leader: max(here.processes("harness.lifecycle.parent")),
    "postmaster": lambda here, leader: one(here, "postgres -D"),
    "guardian": lambda here, leader: one(here, "guardian.py"),
}


@pytest.mark.parametrize(
    ("victim", "last_word"),
    [
        *((victim, signal.SIGKILL) for victim in VICTIMS),
        ("supervisor", signal.SIGINT),
        ("supervisor", signal.SIGTERM),
    ],
)
def test_nothing_is_left_when_a_process_dies_in_mid_run(victim: str, last_word: int) -> None:
    with scene() as here:
        run = here.python("-c", PROGRAM)
        # Parent and hanging worker carry the same command line.
        here.wait_for(lambda: len(here.processes("harness.lifecycle.parent")) == 2, "a worker hangs")
        os.kill(VICTIMS[victim](here, run.pid), last_word)
        if victim in ("postmaster", "guardian"):
            # The worker hangs on, and the run with it; it ends when its user ends it.
            run.send_signal(signal.SIGINT)
        run.wait(60)
        here.wait_until_gone()

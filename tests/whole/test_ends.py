"""Runs that are interrupted or killed: the first Ctrl-C counts, and nothing is left.

Eight runs are interrupted and eight killed: one process, two, or a group, at random.
`INTERRUPTS=100 KILLS=50 uv run pytest -m slow tests/whole/test_ends.py` interrupts a hundred and kills fifty.
"""

import os
import random
import re
import signal
import subprocess
import time

import pytest

from tests.support.programs import PROGRAMS, Program
from tests.support.remains import LIMIT, Scene

pytestmark = pytest.mark.slow

INTERRUPTS = int(os.environ.get("INTERRUPTS", "8"))

KILLS = int(os.environ.get("KILLS", "8"))

LINE = "poolstart: interrupted"

BEFORE_IMPORTS = re.compile(r"^KeyboardInterrupt", re.MULTILINE)
"""Python's message if the interrupt comes before anything of poolstart is imported."""


@pytest.mark.parametrize("seed", range(INTERRUPTS))
def test_the_first_interrupt_counts(programs: dict[str, Program], here: Scene, seed: int) -> None:
    chance = random.Random(seed)
    name = PROGRAMS[seed % len(PROGRAMS)]
    program = programs[name]
    run = program.start(here)
    # Half of the interrupts come within the first second, during imports.
    time.sleep(chance.uniform(0, chance.choice([1.0, program.seconds])))
    ended = run.poll() is not None
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=LIMIT)
    here.wait_until_gone()
    if ended:
        return
    if program.is_complete(output) and run.returncode == -signal.SIGINT:
        # The run is complete, and the interpreter has restored the default action of the signal at exit.
        return
    if BEFORE_IMPORTS.search(output) or not output:
        # The interpreter, or asv, was still starting.
        early = "init_import_site" in output or "Could not import runpy" in output
        assert run.returncode == (1 if early else -signal.SIGINT), output
        assert LINE not in output
    else:
        assert (run.returncode, output.splitlines()[-1], output.count(LINE)) == (130, LINE, 1), output


USERS_PATIENCE = 3.0
"""Seconds after which the user interrupts a run of which a process was killed."""


def victims(chance: random.Random, here: Scene, leader: int) -> list[int]:
    """The pids to kill: one process, two, all Pythons, or minus the number of a group."""
    running = sorted(here.processes())
    match chance.choice(["one", "pair", "leader and one", "group", "every Python"]):
        case "one":
            return chance.sample(running, 1)
        case "pair":
            return chance.sample(running, min(2, len(running)))
        case "leader and one":
            return [leader, *chance.sample(running, 1)]
        case "group":
            return [-os.getpgid(chance.choice(running))]
        case _:
            return [pid for pid in running if "python" in here.processes().get(pid, "")]


@pytest.mark.parametrize("seed", range(KILLS))
def test_nothing_is_left_of_a_run_that_is_killed(
    programs: dict[str, Program], here: Scene, seed: int
) -> None:
    chance = random.Random(seed)
    name = PROGRAMS[seed % len(PROGRAMS)]
    program = programs[name]
    run = program.start(here)
    time.sleep(chance.uniform(0, program.seconds))
    shared = here.shared_memory()
    chosen = victims(chance, here, run.pid) if run.poll() is None else []
    killed = {pid: here.processes().get(abs(pid), "") for pid in chosen}
    for pid in chosen:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    try:
        run.wait(USERS_PATIENCE)
    except subprocess.TimeoutExpired:
        shared |= here.shared_memory()
        run.send_signal(signal.SIGINT)
    run.wait(LIMIT)
    try:
        here.wait_until_gone()
        here.wait_for(lambda: not here.left_of(shared), f"{here.left_of(shared)} is gone", LIMIT)
    except AssertionError as left:
        raise AssertionError(f"{name}, killed {killed}: {left}") from None


def test_an_asv_run_that_was_killed_starts_again_at_once(programs: dict[str, Program], here: Scene) -> None:
    program = programs["asv run"]
    run = program.start(here)
    here.wait_for(lambda: here.processes("harness.lifecycles.inside.program"), "it measures")
    run.kill()
    again = program.start(here)
    output, _ = again.communicate(timeout=600)
    assert again.returncode == 0, output
    run.wait()
    here.wait_until_gone()

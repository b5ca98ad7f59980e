"""Runs that are interrupted or killed: the first Ctrl-C counts, nothing is left, and no results are lost.

Three runs are interrupted, four in a terminal, and six killed: one process, two, or a group, at random.
`INTERRUPTS=100 KILLS=50 uv run pytest -m slow tests/whole/test_ends.py` interrupts a hundred and kills fifty.
"""

import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Collection

import pytest

from harness.processes import proc
from harness.processes.supervision import WATCHDOGS
from tests.support.programs import PROGRAMS, Program
from tests.support.remains import LIMIT, Scene

pytestmark = pytest.mark.slow

INTERRUPTS = int(os.environ.get("INTERRUPTS", "3"))

KILLS = int(os.environ.get("KILLS", "6"))

TERMINALS = 4

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
    if program.is_complete(output) and run.returncode in (0, -signal.SIGINT):
        # The run is complete. At its exit the interpreter no longer runs the thread that waits for signals,
        # and then restores the default action.
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
    # A process that has just been started may have no command line yet.
    running = sorted({leader, *here.processes()})
    match chance.choice(["one", "pair", "leader and one", "watchdogs", "group", "every Python"]):
        case "one":
            return chance.sample(running, 1)
        case "pair":
            return chance.sample(running, min(2, len(running)))
        case "leader and one":
            return [leader, *chance.sample(running, 1)]
        case "watchdogs":
            return sorted(here.processes("watchdog.sh"))
        case "group":
            process = proc.stat(chance.choice(running))
            return [-process.group] if process else []
        case _:
            return [pid for pid in running if "python" in here.processes().get(pid, "")]


def parent(pid: int) -> int | None:
    process = proc.stat(pid)
    return process.ppid if process else None


def has_others(here: Scene, owner: int | None, killed: Collection[int]) -> bool:
    """Whether an owner has its watchdogs beside those that were killed, or has ended.

    A process that was just killed still has a command line for a moment.
    """
    if owner not in here.processes():
        return True
    watchdogs = [pid for pid in here.processes("watchdog.sh") if pid not in killed]
    return len([pid for pid in watchdogs if parent(pid) == owner]) >= WATCHDOGS


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
    owners = {parent(pid) for pid, command in killed.items() if "watchdog.sh" in command}
    for pid in chosen:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    if owners:
        # They replace their watchdogs, and then the first of them is killed as well.
        here.wait_for(
            lambda: run.poll() is not None or all(has_others(here, owner, killed) for owner in owners),
            "they are replaced",
        )
        run.kill()
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
    require_whole_results(program)


def require_whole_results(program: Program) -> None:
    """Whatever ended a run, what asv has stored can be read."""
    for path in (program.directory / "results").rglob("*.json"):
        assert json.loads(path.read_text()), path


@pytest.mark.parametrize("seed", range(TERMINALS))
def test_nothing_is_left_of_a_run_whose_terminal_interrupts_it_or_is_closed(
    programs: dict[str, Program], here: Scene, seed: int
) -> None:
    chance = random.Random(seed)
    name = PROGRAMS[seed % len(PROGRAMS)]
    program = programs[name]
    run = program.start_in_terminal(here)
    time.sleep(chance.uniform(0, program.seconds))
    shared, ended = here.shared_memory(), run.process.poll() is not None
    if seed % 2:
        run.press_ctrl_c()
        run.process.wait(LIMIT)
        output = run.close()
        if not ended and not BEFORE_IMPORTS.search(output) and run.process.returncode != 0:
            assert (run.process.returncode, output.count(LINE)) == (130, 1), output
    else:
        run.close()
        run.process.wait(LIMIT)
    here.wait_until_gone()
    here.wait_for(lambda: not here.left_of(shared), f"{here.left_of(shared)} is gone", LIMIT)
    require_whole_results(program)

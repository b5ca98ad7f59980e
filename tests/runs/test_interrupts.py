"""The first Ctrl-C ends a run wherever it falls.

Ten are sent here; `INTERRUPTS=100 uv run pytest -m slow tests/runs` sends a hundred.
"""

import os
import random
import re
import signal
import time

import pytest

from tests.remains import LIMIT, Scene
from tests.runs.conftest import PROGRAMS, Program

pytestmark = pytest.mark.slow

INTERRUPTS = int(os.environ.get("INTERRUPTS", "10"))

LINE = "poolstart: interrupted"

BEFORE_US = re.compile(r"^KeyboardInterrupt", re.MULTILINE)
"""What Python says of an interrupt that comes before anything of ours is imported."""


@pytest.mark.parametrize("seed", range(INTERRUPTS))
def test_the_first_interrupt_counts(programs: dict[str, Program], here: Scene, seed: int) -> None:
    chance = random.Random(seed)
    name = PROGRAMS[seed % len(PROGRAMS)]
    program = programs[name]
    run = program.start(here)
    # Half of them in the first second, in which most is imported.
    time.sleep(chance.uniform(0, chance.choice([1.0, program.seconds])))
    ended = run.poll() is not None
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=LIMIT)
    here.wait_until_gone()
    if ended:
        return
    if program.says_all(said) and run.returncode == -signal.SIGINT:
        # All was said, and the interpreter on its way out: it has put the default of the signal back.
        return
    if BEFORE_US.search(said) or not said:
        # The interpreter, or asv, was still on its way to our first line.
        early = "init_import_site" in said or "Could not import runpy" in said
        assert run.returncode == (1 if early else -signal.SIGINT), said
        assert LINE not in said
    else:
        assert (run.returncode, said.splitlines()[-1], said.count(LINE)) == (130, LINE, 1), said

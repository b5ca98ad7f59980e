"""The first Ctrl-C ends a run wherever it falls.

Ten are sent here; `INTERRUPTS=100 uv run pytest -m slow tests/runs` sends a hundred.
"""

import os
import random
import signal
import time

import pytest

from tests.remains import LIMIT, Scene
from tests.runs.conftest import PROGRAMS, Program

pytestmark = pytest.mark.slow

INTERRUPTS = int(os.environ.get("INTERRUPTS", "10"))

LINE = "poolstart: interrupted"


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
    lines = said.splitlines()
    if run.returncode == -signal.SIGINT or "KeyboardInterrupt" in said:
        # Python itself, or asv, had not come to our first line: theirs is the word, ours the status.
        assert "poolstart" not in said.partition("Traceback")[0]
        assert not here.files()
    else:
        assert (run.returncode, lines[-1], said.count(LINE)) == (130, LINE, 1), said
    assert run.returncode in (130, -signal.SIGINT)

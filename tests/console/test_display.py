"""What ends a program in a terminal also ends its displays: nothing is drawn after the last line."""

import signal
import sys
from pathlib import Path

import pytest

from tests.support.command import POOLSTART
from tests.support.remains import scene

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"

SPINNER = """
from harness.console.progress import progress
with progress("working"):
    forever()
"""

IN_LOCK = """
from rich.live import Live
from harness.console import display
with display.console() as console, Live("working\\nhard", console=console, refresh_per_second=50) as live:
    for _ in range(3):
        live.refresh()
    with live._lock:
        forever()
"""

DISPLAYS = {"a spinner": SPINNER, "one that holds its lock": IN_LOCK}

PROGRAM = """
import time
from harness.processes import interrupts, supervision
interrupts.first_counts()
def slowly(deadline):  # Several drawings later.
    time.sleep(0.5)
supervision.hand_over = slowly
def forever():
    while True:
        time.sleep(0.01)
"""


def ended(command: list[str | Path], number: signal.Signals, drawn: str) -> tuple[int, str]:
    """Run a command in a terminal, and send the signal as soon as `drawn` has been drawn twice.

    Returns its exit status, and what it wrote.
    """
    with scene() as here:
        here.environment |= {"TERM": "xterm", "POOLSTART_SERVER": "embedded"}
        started = here.start_in_terminal(*command)
        here.wait_for(lambda: started.output.count(drawn.encode()) >= 2, f"{drawn} is drawn")
        started.process.send_signal(number)
        return started.process.wait(300), started.close()


@pytest.mark.parametrize("shown", DISPLAYS)
def test_after_ctrl_c_no_display_is_drawn_again(shown: str) -> None:
    status, output = ended([sys.executable, "-c", PROGRAM + DISPLAYS[shown]], signal.SIGINT, "working")
    assert status == 130
    before, _, after = output.partition("poolstart: interrupted")
    assert after == "\n"
    assert before.rfind(SHOW) > before.rfind(HIDE)


@pytest.mark.parametrize(
    ("shown", "number"),
    [
        ("a spinner", signal.SIGQUIT),
        ("a spinner", signal.SIGTERM),
        ("one that holds its lock", signal.SIGHUP),
    ],
)
def test_a_signal_that_ends_the_program_leaves_the_cursor_visible(shown: str, number: signal.Signals) -> None:
    status, output = ended([sys.executable, "-c", PROGRAM + DISPLAYS[shown]], number, "working")
    assert status == -number
    assert output.rfind(SHOW) > output.rfind(HIDE)


@pytest.mark.parametrize(
    ("command", "drawn"), [(("measure",), "PostgreSQL"), (("hazards", "wrong_answer"), "trial ")]
)
def test_ctrl_c_in_a_command_leaves_the_prompt_on_a_line_of_its_own(
    command: tuple[str, ...], drawn: str
) -> None:
    status, output = ended([POOLSTART, *command], signal.SIGINT, drawn)
    assert status == 130
    assert output.endswith("poolstart: interrupted\n")

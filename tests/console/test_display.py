"""What ends a program in a terminal also ends its displays: nothing is drawn after the last line."""

import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.command import POOLSTART

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"

SPINNER = """
from harness.console.progress import progress
with progress("working"):
    forever()
"""

TABLE = """
from rich.live import Live
from harness.console import display
with display.console() as console, Live("working\\nhard", console=console, refresh_per_second=50):
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

DISPLAYS = {"a spinner": SPINNER, "a table": TABLE, "one that holds its lock": IN_LOCK}

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


def ended(command: list[str | Path], number: signal.Signals, drawn: bytes) -> tuple[int, bytes]:
    """Run a command in a terminal, and send the signal as soon as `drawn` has been drawn twice.

    Returns its exit status, and what it wrote.
    """
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "POOLSTART_SERVER": "embedded"}
    with subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        # It does not end where the tests themselves were started with this signal ignored, as by nohup.
        deadline = threading.Timer(300, process.kill)
        deadline.start()
        output, sent = b"", False
        try:
            while piece := os.read(ours, 65536):
                output += piece
                if output.count(drawn) >= 2 and not sent:
                    sent = True
                    process.send_signal(number)
        except OSError:
            pass  # A terminal whose other end is closed raises instead of returning nothing.
        finally:
            os.close(ours)
            deadline.cancel()
        return process.wait(300), output


@pytest.mark.parametrize("shown", DISPLAYS)
def test_after_ctrl_c_no_display_is_drawn_again(shown: str) -> None:
    status, output = ended([sys.executable, "-c", PROGRAM + DISPLAYS[shown]], signal.SIGINT, b"working")
    assert status == 130
    before, _, after = output.partition(b"poolstart: interrupted")
    assert after == b"\r\n"
    assert before.rfind(SHOW) > before.rfind(HIDE)


@pytest.mark.parametrize(
    ("shown", "number"),
    [("a spinner", signal.SIGQUIT), ("a table", signal.SIGTERM), ("one that holds its lock", signal.SIGHUP)],
)
def test_a_signal_that_ends_the_program_leaves_the_cursor_visible(shown: str, number: signal.Signals) -> None:
    status, output = ended([sys.executable, "-c", PROGRAM + DISPLAYS[shown]], number, b"working")
    assert status == -number
    assert output.rfind(SHOW) > output.rfind(HIDE)


@pytest.mark.parametrize(
    ("command", "drawn"), [(("measure",), b"PostgreSQL"), (("hazards", "wrong_answer"), b"trials")]
)
def test_ctrl_c_in_a_command_leaves_the_prompt_on_a_line_of_its_own(
    command: tuple[str, ...], drawn: bytes
) -> None:
    status, output = ended([POOLSTART, *command], signal.SIGINT, drawn)
    assert status == 130
    assert output.endswith(b"poolstart: interrupted\r\n")

"""The first Ctrl-C ends a program, whatever it is doing.

A KeyboardInterrupt is raised wherever the interpreter happens to be. In a callback of an import or a
finalizer it is printed and ignored, and a main thread that waits in a C library sees it only when the call
returns. So nothing is raised here. Instead, a thread reads the signal from a pipe, stops all displays, hands
everything that the program owns to its watchdogs, and exits. Other signals that end a program in a terminal
still do so, after the thread has stopped the displays. This module imports next to nothing, because programs
import it first.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from types import FrameType

STATUS = 130
"""The exit status of an interrupted program, as in shells."""

ENDING = (signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)
"""Other signals that end a program."""

SHOW_CURSOR = b"\x1b[?25h"
"""Shows the cursor, which a display hides."""

DEADLINE = 4.0
"""Seconds for the watchdogs to clean up, while the user waits."""


NO_THREAD = "end some of what runs on this machine, or raise the limit of processes (`ulimit -u`)"


def first_counts(*, in_a_line: bool = False) -> None:
    """Make SIGINT end this program within `DEADLINE` seconds, with one line and exit status `STATUS`.

    A program that was started to ignore SIGINT, for example in the background of a script, still does.
    With `in_a_line`, the program may be interrupted in the middle of a line of output.
    """
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, _stand_still):
        return
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.signal(signal.SIGINT, _stand_still)
    if os.isatty(2):
        for number in ENDING:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _stand_still)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    try:
        threading.Thread(target=_listen, args=(read_end, in_a_line), daemon=True, name="interrupts").start()
    except RuntimeError as error:
        # Nothing turns exceptions into lines yet.
        print(f"poolstart: {error}; {NO_THREAD}", file=sys.stderr)
        sys.exit(2)


def _listen(read_end: int, in_a_line: bool) -> None:
    number = 0
    while number not in (signal.SIGINT, *ENDING):
        number = os.read(read_end, 1)[0]
    stop = getattr(sys.modules.get("harness.console.display"), "stop", None)
    if stop:
        stop()
    if number != signal.SIGINT:
        _end_by(number)
    prefix = SHOW_CURSOR + b"\n" if os.isatty(2) else b"\n" if in_a_line else b""
    with contextlib.suppress(OSError):
        os.write(2, prefix + b"poolstart: interrupted\n")
    # If the module is not imported, nothing is owned. To import it here could wait forever.
    hand_over = getattr(sys.modules.get("harness.processes.supervision"), "hand_over", None)
    if hand_over:
        hand_over(DEADLINE)
    os._exit(STATUS)


def _end_by(number: int) -> None:
    """End this program by a signal, as if that had not been caught, and show the cursor."""
    # In Python only the main thread may change the action of a signal.
    import ctypes

    with contextlib.suppress(OSError):
        os.write(2, SHOW_CURSOR + b"\n")
    ctypes.CDLL(None).signal(number, None)
    os.kill(os.getpid(), number)
    time.sleep(DEADLINE)


def _stand_still(number: int, frame: FrameType | None) -> None:
    """Stop the main thread, and end the program later if the other thread has not."""
    time.sleep(DEADLINE)
    os._exit(STATUS)

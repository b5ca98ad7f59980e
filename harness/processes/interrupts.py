"""The first Ctrl-C ends a program, wherever it falls.

A KeyboardInterrupt is raised wherever the interpreter happens to be. In a callback (of an import, of a
finalizer) it is printed and forgotten, and the program goes on; a main thread that waits in a C library sees
it when that returns. So nothing is raised here: a thread of its own hears of the signal from the kernel's
side, leaves what the program holds to its watchdogs, and ends the program. Imports next to nothing: it comes
first of all.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from types import FrameType

STATUS = 130
"""The exit status of an interrupt, as shells have it."""

DEADLINE = 4.0
"""Seconds that watchdogs have, and with them whoever presses Ctrl-C."""


def first_counts(*, in_a_line: bool = False) -> None:
    """From now on a SIGINT ends this program within `DEADLINE` seconds, with one line and `STATUS`.

    Where the program was started to ignore it (in the background of a script), it still does. `in_a_line`
    says that the program's output may stand in the middle of one.
    """
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, _stand_still):
        return
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.signal(signal.SIGINT, _stand_still)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(heard, in_a_line), daemon=True, name="interrupts").start()


def _listen(heard: int, in_a_line: bool) -> None:
    while signal.SIGINT not in os.read(heard, 4096):
        pass
    # A progress display hides the cursor, too.
    shown = b"\x1b[?25h\n" if os.isatty(2) else b"\n" if in_a_line else b""
    with contextlib.suppress(OSError):
        os.write(2, shown + b"poolstart: interrupted\n")
    # If the module is not imported, nothing is owned; an import of it here could wait for ever.
    hand_over = getattr(sys.modules.get("harness.processes.supervision"), "hand_over", None)
    if hand_over:
        hand_over(DEADLINE)
    os._exit(STATUS)


def _stand_still(number: int, frame: FrameType | None) -> None:
    """The main thread does nothing more; and ends the program itself should the other one be gone."""
    time.sleep(DEADLINE)
    os._exit(STATUS)

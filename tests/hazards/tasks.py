"""Tasks for the workers of these tests."""

import threading
import time

from harness.hazards.worker import Inside


def block(inside: Inside) -> None:
    threading.Event().wait()


def work_hard(inside: Inside, seconds: float) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(10_000))
    return "done"


def fail(inside: Inside) -> None:
    raise ValueError("of no use")


def leave(inside: Inside) -> None:
    import os

    os._exit(7)

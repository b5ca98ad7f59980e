"""Tasks for the workers of a hazard: one that hangs, one that works, one that fails, one that dies."""

import threading
import time

from harness.hazards.inside.worker import Worker


def block(worker: Worker) -> None:
    threading.Event().wait()


def work_hard(worker: Worker, seconds: float) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(10_000))
    return "done"


def fail(worker: Worker) -> None:
    raise ValueError("of no use")


def leave(worker: Worker) -> None:
    import os

    os._exit(7)

"""A forked worker has its parent's signal handlers, and the descriptor that wakes the parent's loop."""

import asyncio
import contextlib
import signal
from typing import Any

from harness.fixes import RESET_SIGNALS
from harness.hazards.conditions import SIGNALS_RESET
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Ended, WorkerHandle
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker

RECEIVED: list[int] = []
"""The signals that the handler of this process has seen."""


def note(number: int, frame: Any) -> None:
    RECEIVED.append(number)


def job(worker: Worker, resets: bool) -> int:
    """A job that ends by SIGTERM, or when the parent says so; then it reports how many signals came."""
    if resets:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    worker.report("begun")
    worker.wait()
    return len(RECEIVED)


def ends_by_sigterm(worker: WorkerHandle) -> bool:
    """Whether a worker that was sent SIGTERM has ended; otherwise it answers."""
    worker.process.terminate()
    # It may have ended already.
    with contextlib.suppress(BrokenPipeError):
        worker.say()
    try:
        worker.answer()
    except Ended:
        return True
    return False


async def parent_is_stopped(parent: Parent) -> bool:
    """Whether SIGTERM for a worker reaches the parent's event loop."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    worker = parent.start(job, parent.keeps_condition)
    worker.answer()
    ends_by_sigterm(worker)
    # The worker wrote to the loop's socket before it answered or ended, so the loop reads that in one of its
    # next rounds.
    for _ in range(5):
        await asyncio.sleep(0)
    loop.remove_signal_handler(signal.SIGTERM)
    return stop.is_set()


def reproduce(parent: Parent) -> bool:
    stopped = asyncio.run(parent_is_stopped(parent))
    parent.tell("parent", "Its event loop handles SIGTERM; it starts a worker and terminates it.")
    parent.tell(
        "parent",
        "Its loop is told of SIGTERM, and shuts down." if stopped else "Its loop is told of nothing.",
    )
    before = signal.signal(signal.SIGTERM, note)
    try:
        worker = parent.start(job, parent.keeps_condition)
        worker.answer()
        ends = ends_by_sigterm(worker)
    finally:
        signal.signal(signal.SIGTERM, before)
    parent.tell("parent", "With a handler set by signal.signal it starts another worker, and terminates it.")
    parent.tell("worker", "Ends." if ends else "Calls its copy of the parent's handler, and goes on.")
    parent.tell("server", "Nothing: no database is involved.")
    affected = stopped or not ends
    parent.tell(
        "user",
        "A server that shuts down although it got no signal, or a worker that terminate() does not end."
        if affected
        else "Nothing unusual.",
    )
    return affected


HAZARD = Hazard(
    id="copied_signals",
    title="Signal handlers and wake-up descriptors copied by fork",
    description=(
        "A forked worker has its parent's signal handlers. A handler that notes SIGTERM for a later"
        " shutdown keeps terminate() from ending the worker, and join() waits for ever. An asyncio loop"
        " hears of signals by a socket (signal.set_wakeup_fd), of which the worker has a copy: up to Python"
        " 3.11, SIGTERM for the worker is written to it, and the loop of the parent reads it. The parent"
        " shuts down, in the middle of its transactions, although nothing sent it a signal, and the worker"
        " lives on. From 3.12 on asyncio resets the descriptor in a forked worker, which still ignores"
        " terminate(). A handler that ends the parent's workers fails in a worker, whose copies of the"
        " Process objects are not its children: can only test a child process. Nothing done to an engine"
        " plays a part."
    ),
    symptom=(
        "The server shuts down when a worker or a job is terminated or times out. Or terminate() has no"
        " effect, and the program hangs at its end."
    ),
    affected_when=(
        "After terminate() the worker goes on, or the parent's event loop is told of a signal that it was"
        " not sent."
    ),
    avoidance=(
        "Start workers with spawn or forkserver. Or first thing in a forked worker:"
        " signal.set_wakeup_fd(-1), then signal.signal(signal.SIGTERM, signal.SIG_DFL) and the same for"
        " SIGINT. kill() ends a worker that ignores terminate()."
    ),
    fixes=(RESET_SIGNALS,),
    severity=Severity.HANG,
    messages=("can only test a child process", "can only join a child process"),
    links=(
        "https://github.com/fastapi/fastapi/issues/1487",
        "https://github.com/Kludex/uvicorn/discussions/2289",
        "https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd",
    ),
    condition=SIGNALS_RESET,
    affected_control="fork_dispose",
    survives_control="spawn",
    follows_releases=False,
)

"""The sessions of a killed parent stay open in its workers."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import drivers
from harness.fixes import END_WITH_PARENT
from harness.hazards.hazard import Hazard, HazardFigure, Severity
from harness.hazards.inside.handle import START_DEADLINE
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker, plain

if TYPE_CHECKING:
    from harness.postgres.server import Server

POOLED = 3
"""Connections in the pool of the parent that will be killed."""

OBSERVED = 0.5
"""Seconds for which the sessions are watched before the worker is killed; they stay as long as it lives."""


def stay(worker: Worker) -> None:
    worker.engine()
    worker.report("settled")
    threading.Event().wait()


def doomed(strategy: str, server: Server, scratch: Path, driver: str, pipe: Any) -> None:
    """A second parent, which is killed, since the trial's own parent has to report."""
    try:
        live(strategy, server, scratch, driver, pipe)
    except Exception as error:
        pipe.send(plain(error))


def live(strategy: str, server: Server, scratch: Path, driver: str, pipe: Any) -> None:
    """Fill a pool, start a worker, and report backends, sockets and the worker's pid; then wait."""
    with contextlib.closing(Parent(strategy, server, scratch, drivers.get(driver))) as parent:
        engine = parent.engine()
        connections = [engine.connect() for _ in range(POOLED)]
        sessions = [parent.session(connection) for connection in connections]
        for connection in connections:
            connection.close()
        parent.start(stay, engine=engine).answer()
        # Sessions that the pool or the strategy has closed by now cannot be orphaned.
        left = [session for session in sessions if not session.closed]
        sockets = {os.readlink(f"/proc/self/fd/{session.descriptor}") for session in left}
        pipe.send(([session.backend for session in left], sockets, parent.workers[0].pid))
        threading.Event().wait()


def sockets_of(pid: int) -> list[str]:
    sockets = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            sockets.append(os.readlink(descriptor))
    return sockets


def reproduce(parent: Parent) -> bool:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    which = parent.name, parent.server, parent.scratch, parent.driver.name
    process = context.Process(target=doomed, args=(*which, theirs))
    process.start()
    theirs.close()
    if not ours.poll(START_DEADLINE):
        raise RuntimeError("the parent that is to be killed did not start")
    reported = ours.recv()
    if isinstance(reported, str):
        raise RuntimeError(f"the parent that is to be killed failed: {reported}")
    backends, sockets, worker = reported
    held = sum(socket in sockets for socket in sockets_of(worker))
    parent.measure("descriptors", held)

    def alive() -> int:
        return sum(parent.backend_alive(backend) for backend in backends)

    parent.tell("parent", f"Has {len(backends)} idle connections in its pool, and a worker; it is killed.")
    process.kill()
    process.join()
    begin = time.monotonic()
    if held:
        # The worker holds their sockets. That the sessions stay can only be seen by watching for a while.
        while alive() and time.monotonic() - begin < OBSERVED:
            time.sleep(0.01)
    else:
        parent.wait_for(lambda: not alive(), "the end of the killed parent's sessions")
    left = alive()
    parent.tell("worker", f"Holds {held} of the parent's {len(backends)} sockets, and lives on.")
    parent.tell("server", f"Still has {left} of the killed parent's {len(backends)} sessions.")
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)
    parent.wait_for(lambda: not alive(), "the end of the sessions with the end of the worker")
    parent.measure("outlived", time.monotonic() - begin if left or held else 0.0)
    if left:
        parent.tell("server", "Ends them when the worker ends.")
        parent.tell(
            "user", "Idle sessions of programs that are gone, locks they still hold, too many connections."
        )
    else:
        parent.tell("user", "Nothing unusual.")
    return left > 0


HAZARD = Hazard(
    id="orphaned_backend",
    title="Sessions that outlive their parent",
    description=(
        "A session ends when the last process that holds its socket closes it. A forked worker holds a copy"
        " of every socket that was open in the parent; dispose(close=False) drops the connections without"
        " closing them, as it must. When the parent is killed, its sessions stay, with their locks and open"
        " transactions, until the last worker ends. And every worker keeps the file descriptors of the whole"
        " pool."
    ),
    symptom=(
        "After a crash and a restart the server is full of idle sessions: remaining connection slots are"
        " reserved."
    ),
    affected_when="A session of the killed parent stays as long as the worker that holds its socket.",
    avoidance=(
        "Start workers with spawn or forkserver, or let them end with their parent. engine.dispose() in the"
        " parent before the fork closes idle connections only: one that is checked out, such as that of an"
        " advisory lock, is inherited all the same."
    ),
    fixes=(END_WITH_PARENT,),
    severity=Severity.COST,
    messages=(
        "FATAL:  sorry, too many clients already",
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
    ),
    links=(
        "https://github.com/sqlalchemy/sqlalchemy/issues/7815",
        "https://docs.sqlalchemy.org/en/20/core/connections.html#sqlalchemy.engine.Engine.dispose",
    ),
    by_driver=True,
    affected_control="fork_dispose",
    survives_control="spawn",
    figures=(
        HazardFigure(
            "descriptors", f"open sockets of the parent's pool of {POOLED} in each worker", "descriptors"
        ),
        HazardFigure(
            "outlived",
            f"how long the parent's sessions outlive it (the worker is killed after {OBSERVED} s)",
            "seconds",
        ),
    ),
)

"""A lock that the forking thread itself holds is held in its worker for ever."""

import threading

from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Hung, Parent
from harness.hazards.inside.worker import Worker

LOCK = threading.Lock()


def acquire(worker: Worker) -> bool:
    with LOCK:
        return True


def reproduce(parent: Parent) -> bool:
    worker = parent.start(acquire, during=lambda: LOCK)
    parent.tell("parent", "Its only thread holds a plain threading.Lock while it starts the worker.")
    parent.tell("server", "Nothing: no database takes part.")
    with LOCK:
        parent.tell("parent", "Has released the lock, and takes and releases it again.")
    try:
        worker.answer()
    except Hung as hung:
        parent.tell("worker", f"Waits for its copy of the lock, which nobody will release: {hung}.")
        parent.tell("user", "A worker that does nothing; whoever waits for its result waits with it.")
        return True
    parent.tell("worker", "Takes the lock at once: it has one of its own, made when its module was imported.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="own_lock",
    title="A lock held by the thread that forks",
    description=(
        "A lock does not remember its owner across a fork. The one thread of the worker is a copy of the"
        " thread that held the lock, but runs other code: it leaves the block that would release the lock"
        " in the parent only. So it needs no second thread to hang a worker, and to fork before the first"
        " thread is started is no cure. A pool that is made, or makes one more worker, inside such a block"
        " hangs with the first task that wants the lock, and pool.apply in the parent hangs with it."
    ),
    symptom="The first call that reaches a worker never returns, every time, in a program without threads.",
    affected_when="The worker does not get a lock that is free in the parent.",
    avoidance=(
        "Start workers before any lock is taken and outside of every `with lock:`; make locks anew in the"
        " worker by os.register_at_fork; or start workers by spawn or forkserver."
    ),
    severity=Severity.HANG,
    messages=(),
    links=(
        "https://docs.python.org/3/library/os.html#os.register_at_fork",
        "https://pubs.opengroup.org/onlinepubs/9699919799/functions/fork.html",
    ),
    reproduce=reproduce,
    affected_control="fork_dispose",
    survives_control="spawn",
)

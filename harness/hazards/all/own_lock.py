"""A lock that the forking thread itself holds stays locked in the worker forever."""

import threading

from harness.hazards.conditions import NO_LOCK
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker

LOCK = threading.Lock()


def acquire(worker: Worker) -> bool:
    with LOCK:
        return True


def reproduce(parent: Parent) -> bool:
    worker = parent.start(acquire, during=lambda: LOCK)
    parent.tell("parent", "Its only thread holds a plain threading.Lock while it starts the worker.")
    parent.tell("server", "Nothing: no database is involved.")
    with LOCK:
        parent.tell("parent", "Has released the lock, and takes and releases it again.")
    if hang := worker.hang():
        parent.tell("worker", f"Waits for its copy of the lock, which no thread will release: {hang}.")
        parent.tell("user", "A worker that does nothing; a parent that waits for its result hangs too.")
        return True
    parent.tell("worker", "Takes the lock at once: it has one of its own, made when its module was imported.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="own_lock",
    title="A lock held by the thread that forks",
    description=(
        "A threading.Lock does not know which thread holds it, and fork copies it as locked. The worker's"
        " only thread is a copy of the thread that held the lock, but it runs other code: only the parent"
        " leaves the block that releases it. So a program without a second thread can deadlock too, and"
        " forking before the first thread starts is no cure. A pool that is created, or replaces a worker,"
        " inside such a block hangs at the first task that wants the lock, and pool.apply() in the parent"
        " hangs with it."
    ),
    symptom="The first call that reaches a worker never returns, every time, in a program without threads.",
    affected_when="The worker never gets a lock that is free in the parent.",
    avoidance=(
        "Start workers before any lock is taken and outside every `with lock:`; recreate locks in the worker"
        " with os.register_at_fork; or start workers with spawn or forkserver."
    ),
    severity=Severity.HANG,
    messages=(),
    links=(
        "https://docs.python.org/3/library/os.html#os.register_at_fork",
        "https://pubs.opengroup.org/onlinepubs/9699919799/functions/fork.html",
    ),
    condition=NO_LOCK,
    affected_control="fork_dispose",
    survives_control="spawn",
)

"""A lock that another thread holds at the fork stays locked in the worker forever."""

import threading

from harness.hazards.conditions import ONE_THREAD
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.threads import held_by_another_thread
from harness.hazards.inside.worker import Worker

LOCK = threading.Lock()


def acquire(worker: Worker) -> bool:
    with LOCK:
        return True


def reproduce(parent: Parent) -> bool:
    worker = parent.start(acquire, during=lambda: held_by_another_thread(LOCK))
    parent.tell(
        "parent", "A thread holds a plain threading.Lock while the worker is started, then releases it."
    )
    parent.tell("server", "Nothing: no database is involved.")
    with LOCK:
        parent.tell("parent", "The lock is free again, and the parent takes and releases it.")
    if hang := worker.hang():
        parent.tell(
            "worker", f"Waits for its copy of the lock, which no thread of its process holds: {hang}."
        )
        parent.tell("user", "A worker that does nothing, prints nothing and uses no CPU.")
        return True
    parent.tell(
        "worker", "Takes the lock at once: it has a lock of its own, made when its module was imported."
    )
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="inherited_lock",
    title="A lock held at the fork",
    description=(
        "fork copies the parent's memory, locks included, but only the thread that calls fork. A lock that"
        " another thread holds at that moment is copied as locked, and the thread that would release it does"
        " not exist in the worker: the worker waits for it for ever. No connection pool is needed for this"
        " deadlock: the lock of a module that is being imported, or of a file whose buffer is being written,"
        " is enough. (After a fork Python reinitializes the locks of logging and the global import lock, but"
        " not those of single modules and of buffered files.) This is the basic danger of forking a"
        " multithreaded process, and nothing done to the pool cures it."
    ),
    symptom=(
        "A worker hangs at its start now and then, without a message; killing it and starting again helps."
    ),
    affected_when="The worker never gets a lock that is free in the parent.",
    avoidance="Start workers with spawn or forkserver, or fork before the first thread starts.",
    severity=Severity.HANG,
    messages=("multi-threaded, use of fork() may lead to deadlocks in the child",),
    links=(
        "https://docs.python.org/3/library/os.html#os.fork",
        "https://github.com/MemPalace/mempalace/pull/1431",
        "https://github.com/python/cpython/issues/105464",
    ),
    condition=ONE_THREAD,
    affected_control="fork_dispose",
    survives_control="spawn",
)

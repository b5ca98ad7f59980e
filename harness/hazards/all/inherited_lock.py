"""A lock that is held at the fork stays held in the worker for ever."""

import threading

from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Hung, Parent, held_by_another_thread
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
    parent.tell("server", "Nothing: no database takes part.")
    with LOCK:
        parent.tell("parent", "The lock is free again, and the parent takes and releases it.")
    try:
        worker.answer()
    except Hung as hung:
        parent.tell(
            "worker", f"Waits for its copy of the lock, which no thread of its process holds: {hung}."
        )
        parent.tell("user", "A worker that does nothing, says nothing and uses no processor.")
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
        "fork copies the memory of the parent, locks included, but only the thread that forks. A lock that"
        " another thread holds at that moment is copied as held, and the thread that would release it does"
        " not exist in the worker. Whatever the worker does with that lock, it waits for ever. No pool is"
        " needed for this: a module that is being imported or a file whose buffer is being written will do."
        " (Python makes the locks of logging and of the import system as a whole anew in the child; those of"
        " single modules and of buffered files it does not.) It is the root of the trouble, and no treatment"
        " of the pool is its cure."
    ),
    symptom="A worker hangs at its start, now and then, without a message; killing and starting again helps.",
    affected_when="The worker does not get a lock that is free in the parent.",
    avoidance="Start workers by spawn or forkserver, or fork before the first thread is started.",
    severity=Severity.HANG,
    messages=("multi-threaded, use of fork() may lead to deadlocks in the child",),
    links=(
        "https://docs.python.org/3/library/os.html#os.fork",
        "https://github.com/MemPalace/mempalace/pull/1431",
        "https://github.com/python/cpython/issues/105464",
    ),
    reproduce=reproduce,
    affected_control="fork_dispose",
    survives_control="spawn",
)

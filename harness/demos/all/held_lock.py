"""2. The thread that makes the pool holds a lock that a task of the pool needs."""

import multiprocessing
import threading

from harness.demos.helpers import options, tell

LOCK = threading.Lock()


def work() -> None:
    tell("worker", "Wants the lock.")
    with LOCK:
        tell("worker", "Has the lock, and releases it.")


if __name__ == "__main__":
    arguments = options()
    context = multiprocessing.get_context(arguments.start_method)
    if arguments.cured:
        pool = context.Pool(2)
        tell("parent", "Makes its two workers, and only then takes the lock and releases it.")
        LOCK.acquire()
    else:
        tell("parent", "Takes the lock, makes its two workers, and releases the lock.")
        LOCK.acquire()
        pool = context.Pool(2)
    LOCK.release()
    with LOCK:
        tell("parent", "Takes the lock again without trouble: it is free here.")
    pool.apply(work)
    pool.close()
    pool.join()

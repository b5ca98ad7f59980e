"""Threads of a parent that are busy while it starts workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from harness.hazards.inside.handle import WorkerHandle, settle
from harness.hazards.inside.worker import Worker

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from harness.hazards.inside.parent import Parent

THREADS = 2
"""Threads of the parent that use the pool."""

FORKS = 20
BOOTS = 3
"""Workers that are started meanwhile; fewer if each boots an interpreter, which is slow."""


def check_out(worker: Worker) -> None:
    """A worker's task: check a connection out and in, without a query, since only the pool matters."""
    worker.engine().raw_connection().close()


def started_in_traffic(parent: Parent, engine: Engine, use: Callable[[], object]) -> list[WorkerHandle]:
    """Start workers that check a connection out, while `THREADS` threads call `use` again and again.

    Returns them once each has answered or hangs.
    """
    parent.warm(engine)
    trials = FORKS if parent.strategy.start_method == "fork" else BOOTS
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            use()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        workers = [parent.start(check_out, engine=engine) for _ in range(trials)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    settle(workers)
    return workers


@contextmanager
def held_by_another_thread(lock: AbstractContextManager[Any]) -> Iterator[None]:
    """During the context, another thread holds `lock`."""
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            release.wait()

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    held.wait()
    try:
        yield
    finally:
        release.set()
        thread.join()

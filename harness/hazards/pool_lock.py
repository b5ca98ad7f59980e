"""The pool's own mutex is held at the fork."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from harness.hazards.hazard import Figure, Hazard, Severity
from harness.inside.trial.parent import Ended, Failed, Hung, Parent, held_by_another_thread, settle
from harness.inside.trial.worker import Worker

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

THREADS = 2
"""Parent threads that check connections out and in, for the natural rate."""

FORKS = 20
BOOTS = 3
"""Trials of the natural rate: forks are cheap, interpreters are not."""


def check_out(worker: Worker) -> None:
    """Take a connection and give it back, without a word to the server: only the pool is at stake."""
    worker.engine().raw_connection().close()


def mutex_of(engine: Engine) -> AbstractContextManager[Any] | None:
    """The mutex of the pool's queue; a NullPool has no queue."""
    mutex: AbstractContextManager[Any] | None = getattr(getattr(engine.pool, "_pool", None), "mutex", None)
    return mutex


def another_thread_inside(engine: Engine) -> AbstractContextManager[Any]:
    mutex = mutex_of(engine)
    return nullcontext() if mutex is None else held_by_another_thread(mutex)


@contextmanager
def traffic(engine: Engine) -> Iterator[None]:
    """Threads that check connections out and in until the context ends."""
    stop = threading.Event()

    def check_out_and_in() -> None:
        while not stop.is_set():
            engine.raw_connection().close()

    threads = [threading.Thread(target=check_out_and_in, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def natural_rate(parent: Parent, figure: str, traffic_is: str, **options: Any) -> None:
    engine = parent.engine(**options)
    parent.warm(engine)
    trials = FORKS if parent.strategy.start_method == "fork" else BOOTS
    with traffic(engine):
        workers = [parent.start(check_out, engine=engine) for _ in range(trials)]
    settle(workers)
    hung = 0
    for worker in workers:
        try:
            worker.answer()
        except Hung:
            hung += 1
        except (Failed, Ended):
            pass  # a failure that speaks is not this hazard
    parent.measure(figure, hung / trials, trials)
    parent.tell(
        "user", f"By nature, with {THREADS} parent threads {traffic_is}: {hung} of {trials} workers hang."
    )


def reproduce(parent: Parent) -> bool:
    natural_rate(parent, "hung", "checking connections out and in")
    # The rollback on return makes a thread give up the interpreter outside of the mutex, nearly every
    # time. Without it, threads are interrupted anywhere.
    natural_rate(parent, "hung_no_reset", "doing so without a rollback on return", pool_reset_on_return=None)
    engine = parent.engine()
    parent.warm(engine)
    worker = parent.start(check_out, engine=engine, during=lambda: another_thread_inside(engine))
    if mutex_of(engine) is None:
        parent.tell("parent", "The pool has no queue and so no mutex that a thread could be inside of.")
    else:
        parent.tell(
            "parent", "Another thread is inside the pool's mutex at the moment the worker is started."
        )
    try:
        worker.answer()
    except Hung as hung:
        parent.tell("worker", f"Asks the pool for a connection and waits for ever: {hung}.")
        parent.tell("server", "An idle backend of the parent; the worker never speaks to the server.")
        parent.tell("user", "A worker that hangs in its first engine.connect().")
        return True
    parent.tell("worker", "Gets a connection and gives it back.")
    parent.tell("server", "Had a session for the worker.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="pool_lock",
    title="The pool's mutex held at the fork",
    description=(
        "The queue of a pool is guarded by a mutex. When another thread of the parent is inside it at the"
        " fork, the worker's copy stays locked, and its first checkout waits for ever. So does dispose():"
        " it empties the queue. dispose(close=False) puts a new pool in place without touching the old one,"
        " and is not struck."
    ),
    symptom="Workers of a threaded parent hang in engine.connect(), most of them on a busy server.",
    struck_when="The worker's checkout does not come back while the parent's pool is usable.",
    avoidance="dispose(close=False) first thing in the worker, or spawn, or forkserver.",
    severity=Severity.HANG,
    messages=("multi-threaded, use of fork() may lead to deadlocks in the child",),
    links=(
        "https://docs.sqlalchemy.org/en/20/core/pooling.html"
        "#using-connection-pools-with-multiprocessing-or-os-fork",
        "https://github.com/sqlalchemy/sqlalchemy/issues/7815",
    ),
    reproduce=reproduce,
    struck_control="fork_nodispose",
    survives_control="fork_dispose",
    figures=(
        Figure("hung", "workers that hang at the pool's mutex while parent threads use the pool", "fraction"),
        Figure("hung_no_reset", "the same, with pool_reset_on_return=None", "fraction"),
    ),
)

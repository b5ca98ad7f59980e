"""The mutex of the connection pool is held at the fork."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from harness.fixes import EVERY_ENGINE
from harness.hazards.conditions import ONE_THREAD
from harness.hazards.hazard import Hazard, HazardFigure, Severity, where_connections_are_pooled
from harness.hazards.inside.handle import Ended, Failed, Hung, settle
from harness.hazards.inside.parent import Parent, busy, hangs, held_by_another_thread
from harness.hazards.inside.worker import Worker

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

THREADS = 2
"""Parent threads that check connections out and in while nothing is forced."""

QUEUE = "sqlalchemy/util/queue.py"
"""The file of the functions that wait for the mutex of a pool."""

FORKS = 20
BOOTS = 3
"""Workers of the natural rate: a fork is cheap, a new interpreter is not."""


def check_out(worker: Worker) -> None:
    """Check a connection out and in without a query: only the pool matters here."""
    worker.engine().raw_connection().close()


def another_thread_inside(engine: Engine) -> AbstractContextManager[Any]:
    """Another thread holds the mutex of the pool's queue."""
    pool: Any = engine.pool
    return held_by_another_thread(pool._pool.mutex)


def natural_rate(parent: Parent, figure: str, traffic_is: str, **options: Any) -> None:
    """Measure how often workers hang at the mutex while threads of the parent simply use the pool."""
    engine = parent.engine(**options)
    parent.warm(engine)
    trials = FORKS if parent.strategy.start_method == "fork" else BOOTS
    with busy(THREADS, lambda: engine.raw_connection().close()):
        workers = [parent.start(check_out, engine=engine) for _ in range(trials)]
    settle(workers)
    hung = 0
    for worker in workers:
        try:
            worker.answer()
        except Hung as hang:
            if hang.inside(QUEUE):
                hung += 1
            else:
                parent.tell("worker", f"Hangs elsewhere, which is not counted: {hang}.")
        except (Failed, Ended):
            pass  # an error is not this hazard
    parent.measure(figure, hung / trials, trials)
    parent.tell(
        "user", f"Unforced, with {THREADS} parent threads {traffic_is}, {hung} of {trials} workers hang."
    )


def reproduce(parent: Parent) -> bool:
    natural_rate(parent, "hung", "checking connections out and in")
    # The rollback on return makes a thread release the GIL outside of the mutex, nearly every time.
    # Without it, threads are interrupted anywhere.
    natural_rate(parent, "hung_no_reset", "doing so without a rollback on return", pool_reset_on_return=None)
    engine = parent.engine()
    parent.warm(engine)
    worker = parent.start(check_out, engine=engine, during=lambda: another_thread_inside(engine))
    parent.tell("parent", "Another thread holds the pool's mutex at the moment the worker is started.")
    try:
        worker.answer()
    except Hung as hung:
        if not hung.inside(QUEUE):
            raise RuntimeError(f"the worker hangs, but not at the pool's mutex: {hung}") from None
        parent.tell("worker", f"Asks the pool for a connection and waits for ever in {QUEUE}: {hung}.")
        parent.tell("server", "An idle backend of the parent; the worker never speaks to the server.")
        parent.tell("user", "A worker that hangs in its first engine.connect().")
        return True
    parent.tell("worker", "Gets a connection and gives it back.")
    parent.tell("server", "Had a session for the worker.")
    parent.tell("user", "Nothing unusual.")
    return False


def reproduce_with_condition(parent: Parent) -> bool:
    """No other thread can hold the mutex."""
    engine = parent.engine()
    parent.warm(engine)
    return hangs(parent.start(check_out, engine=engine))


HAZARD = Hazard(
    id="pool_lock",
    title="The pool's mutex held at the fork",
    description=(
        "A mutex guards the queue of a connection pool. If another thread of the parent holds it at the fork,"
        " the worker's copy stays locked, and the worker's first checkout waits for ever. So does dispose(),"
        " which empties the queue. dispose(close=False) puts a new pool in place without touching the old"
        " one, and is not affected. If the worker's stack ends in the driver's connect, not in"
        " sqlalchemy/util/queue.py, the lock is another one: native_lock."
    ),
    symptom="Workers of a multithreaded parent hang in engine.connect(), mostly on a busy server.",
    affected_when="The worker's checkout does not return while the parent's pool is usable.",
    avoidance="Call engine.dispose(close=False) first thing in the worker, or use spawn or forkserver.",
    fixes=(EVERY_ENGINE,),
    severity=Severity.HANG,
    messages=("multi-threaded, use of fork() may lead to deadlocks in the child",),
    links=(
        "https://docs.sqlalchemy.org/en/20/core/pooling.html"
        "#using-connection-pools-with-multiprocessing-or-os-fork",
        "https://github.com/sqlalchemy/sqlalchemy/issues/5460",
    ),
    reproduce=reproduce,
    condition=ONE_THREAD,
    reproduce_with_condition=reproduce_with_condition,
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
    not_applicable=where_connections_are_pooled,
    figures=(
        HazardFigure(
            "hung",
            "workers that hang at the pool's mutex while parent threads use the pool",
            "fraction",
            "two parent threads check connections out and in at the fork; isolation plays no part",
        ),
        HazardFigure(
            "hung_no_reset",
            "the same, with pool_reset_on_return=None",
            "fraction",
            "the same with pool_reset_on_return=None",
        ),
    ),
)

"""The mutex of the connection pool is held at the fork."""

from __future__ import annotations

from typing import Any

from harness.fixes import EVERY_ENGINE
from harness.hazards.conditions import ONE_THREAD
from harness.hazards.hazard import Hazard, HazardFigure, Severity, where_connections_are_pooled
from harness.hazards.inside.handle import Ended, Failed, Hung
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.threads import THREADS, check_out, held_by_another_thread, started_in_traffic

QUEUE = "sqlalchemy/util/queue.py"
"""The file of the functions that wait for the mutex of a pool."""


def natural_rate(parent: Parent, figure: str, traffic_is: str, **options: Any) -> None:
    """Measure how often workers hang at the mutex while threads of the parent simply use the pool."""
    engine = parent.engine(**options)
    workers = started_in_traffic(parent, engine, lambda: engine.raw_connection().close())
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
    parent.measure(figure, hung / len(workers), len(workers))
    parent.tell(
        "user",
        f"Unforced, with {THREADS} parent threads {traffic_is}, {hung} of {len(workers)} workers hang.",
    )


def reproduce(parent: Parent) -> bool:
    if not parent.keeps_condition:
        natural_rate(parent, "hung", "checking connections out and in")
        # The rollback on return makes a thread release the GIL outside of the mutex, nearly every time.
        # Without it, threads are interrupted anywhere.
        natural_rate(
            parent, "hung_no_reset", "doing so without a rollback on return", pool_reset_on_return=None
        )
    engine: Any = parent.engine()
    parent.warm(engine)
    worker = parent.start(
        check_out, engine=engine, during=lambda: held_by_another_thread(engine.pool._pool.mutex)
    )
    parent.tell("parent", "Another thread holds the pool's mutex at the moment the worker is started.")
    if hang := worker.hang(QUEUE):
        parent.tell("worker", f"Asks the pool for a connection and waits for ever in {QUEUE}: {hang}.")
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
    condition=ONE_THREAD,
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

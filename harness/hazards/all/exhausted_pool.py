"""The worker inherits the pool's count of connections that are checked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.fixes import EVERY_ENGINE
from harness.hazards.conditions import NO_TRANSACTION
from harness.hazards.hazard import Hazard, HazardFigure, Severity, where_connections_are_pooled
from harness.hazards.inside.handle import Ended, Failed, Hung, settle
from harness.hazards.inside.parent import Parent, busy
from harness.hazards.inside.worker import Worker

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

ONE_SLOT = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.5}


THREADS = 2
"""Parent threads that query while nothing is forced, and the connections their pool may have."""

FORKS = 20
BOOTS = 3
"""Workers of the natural rate: a fork is cheap, a new interpreter is not."""


def check_out(worker: Worker) -> None:
    """Check a connection out and in without a query: only the pool's count matters here."""
    worker.engine().raw_connection().close()


def query(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("select pg_sleep(0.001)")


def natural_rate(parent: Parent) -> None:
    """Measure how often workers time out while threads of the parent simply query."""
    engine = parent.engine(queue={**ONE_SLOT, "pool_size": THREADS})
    parent.warm(engine)
    trials = FORKS if parent.strategy.start_method == "fork" else BOOTS
    with busy(THREADS, lambda: query(engine)):
        workers = [parent.start(check_out, engine=engine) for _ in range(trials)]
    settle(workers)
    timed_out = 0
    for worker in workers:
        try:
            worker.answer()
        except Failed as error:
            timed_out += "QueuePool limit" in str(error)
        except (Ended, Hung):
            pass  # another hazard: the mutex of the same pool
    parent.measure("timed_out", timed_out / trials, trials)
    parent.tell(
        "user",
        f"Unforced, with {THREADS} parent threads that query through a pool of {THREADS} connections,"
        f" {timed_out} of {trials} workers get none.",
    )


def reproduce(parent: Parent) -> bool:
    natural_rate(parent)
    engine = parent.engine(queue=ONE_SLOT)
    parent.warm(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("select 1")
        parent.tell("parent", "Has checked out the only connection that its pool may have.")
        worker = parent.start(check_out, engine=engine)
        try:
            worker.answer()
        except Failed as error:
            if "QueuePool limit" not in str(error):
                raise
            parent.tell(
                "worker",
                "Waits for a connection to return to its pool; the only one that could is the parent's.",
            )
            parent.tell("server", f"Is idle, and allows {parent.ask('show max_connections')} connections.")
            parent.tell("user", str(error))
            return True
    parent.tell("worker", "Gets a connection of its own at once.")
    parent.tell("server", "Has a session for each.")
    parent.tell("user", "Nothing unusual.")
    return False


def reproduce_with_condition(parent: Parent) -> bool:
    """The parent has returned its connection before the worker starts."""
    engine = parent.engine(queue=ONE_SLOT)
    parent.warm(engine)
    try:
        parent.start(check_out, engine=engine).answer()
    except Failed as error:
        if "QueuePool limit" not in str(error):
            raise
        return True
    return False


HAZARD = Hazard(
    id="exhausted_pool",
    title="A pool that is full when it is inherited",
    description=(
        "A pool counts the connections that are checked out. A forked worker inherits this count, the"
        " parent's connections included, and nothing in the worker ever returns them: its pool is too small"
        " from the start, or full, although the database is idle."
    ),
    symptom=(
        "QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00. The database has"
        " connections to spare."
    ),
    affected_when="The worker's first checkout times out.",
    avoidance=(
        "Call engine.dispose(close=False) first thing in the worker: the new pool counts from zero. Or use"
        " another start method."
    ),
    fixes=(EVERY_ENGINE,),
    severity=Severity.LOUD_ERROR,
    messages=("QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00",),
    links=(
        "https://docs.sqlalchemy.org/en/20/errors.html#error-3o7r",
        "https://github.com/sqlalchemy/sqlalchemy/issues/5460",
    ),
    reproduce=reproduce,
    condition=NO_TRANSACTION,
    reproduce_with_condition=reproduce_with_condition,
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
    not_applicable=where_connections_are_pooled,
    figures=(
        HazardFigure(
            "timed_out",
            "workers that inherit a full pool while the parent has as many querying threads as connections",
            "fraction",
        ),
    ),
)

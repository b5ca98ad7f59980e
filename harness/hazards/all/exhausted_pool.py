"""The worker inherits the pool's count of connections that are checked out."""

import contextlib

from harness.fixes import EVERY_ENGINE
from harness.hazards.conditions import NO_TRANSACTION
from harness.hazards.hazard import Hazard, HazardFigure, Severity, where_connections_are_pooled
from harness.hazards.inside.handle import Ended, Failed, Hung, WorkerHandle
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.threads import THREADS, check_out, started_in_traffic

ONE_SLOT = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.5}


def query(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("select pg_sleep(0.001)")


def time_out(worker: WorkerHandle) -> str:
    """The error of a worker whose checkout times out; empty if it gets a connection."""
    try:
        worker.answer()
    except Failed as error:
        if "QueuePool limit" not in str(error):
            raise
        return str(error)
    return ""


def natural_rate(parent: Parent) -> None:
    """Measure how often workers time out while threads of the parent simply query."""
    engine = parent.engine(queue={**ONE_SLOT, "pool_size": THREADS})
    workers = started_in_traffic(parent, engine, lambda: query(engine))
    timed_out = 0
    for worker in workers:
        with contextlib.suppress(Ended, Failed, Hung):  # the pool's mutex, which is another hazard
            timed_out += bool(time_out(worker))
    parent.measure("timed_out", timed_out / len(workers), len(workers))
    parent.tell(
        "user",
        f"Unforced, with {THREADS} parent threads that query through a pool of {THREADS} connections,"
        f" {timed_out} of {len(workers)} workers get none.",
    )


def reproduce(parent: Parent) -> bool:
    if not parent.keeps_condition:
        natural_rate(parent)
    engine = parent.engine(queue=ONE_SLOT)
    parent.warm(engine)
    with engine.connect() as connection:
        if parent.keeps_condition:
            connection.close()
        parent.tell("parent", "Has checked out the only connection that its pool may have.")
        error = time_out(parent.start(check_out, engine=engine))
    if error:
        parent.tell(
            "worker",
            "Waits for a connection to return to its pool; the only one that could is the parent's.",
        )
        parent.tell("server", f"Is idle, and allows {parent.ask('show max_connections')} connections.")
        parent.tell("user", error)
        return True
    parent.tell("worker", "Gets a connection of its own at once.")
    parent.tell("server", "Has a session for each.")
    parent.tell("user", "Nothing unusual.")
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
    condition=NO_TRANSACTION,
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

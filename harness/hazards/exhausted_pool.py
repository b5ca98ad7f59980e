"""The worker inherits the pool's count of connections that are checked out."""

from harness.hazards.hazard import Hazard, Severity
from harness.inside.trial.parent import Failed, Parent
from harness.inside.trial.worker import Worker

ONE_SLOT = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.5}


def query(worker: Worker) -> None:
    with worker.engine().connect() as connection:
        connection.exec_driver_sql("select 1")


def reproduce(parent: Parent) -> bool:
    engine = parent.engine(queue=ONE_SLOT)
    parent.warm(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("select 1")
        parent.tell(
            "parent",
            "Has checked out the only connection its pool may have."
            if parent.strategy.pooled
            else "Has checked out a connection; a NullPool does not count them.",
        )
        worker = parent.start(query, engine=engine)
        try:
            worker.answer()
        except Failed as error:
            if "Timeout" not in str(error):
                raise
            parent.tell(
                "worker",
                "Waits for a connection to come back to its pool; the one that could is the parent's.",
            )
            parent.tell("server", f"Idle, with {parent.ask('show max_connections')} connections to give.")
            parent.tell("user", str(error))
            return True
    parent.tell("worker", "Gets a connection of its own at once.")
    parent.tell("server", "Has a session for each.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="exhausted_pool",
    title="A pool that is inherited full",
    description=(
        "A pool counts the connections it has given out. A forked worker inherits the count with those of"
        " the parent in it, and nobody in the worker will ever give them back: its pool is too small from"
        " the start, or full, on a database that is idle."
    ),
    symptom=(
        "QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00. While the"
        " database has connections to spare."
    ),
    struck_when="The worker's first checkout times out.",
    avoidance=(
        "dispose(close=False) first thing in the worker: the new pool counts from zero. Or another start"
        " method."
    ),
    severity=Severity.LOUD_ERROR,
    messages=("QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00",),
    links=(
        "https://docs.sqlalchemy.org/en/20/errors.html#error-3o7r",
        "https://github.com/dannyvfilms/Floppy/issues/341",
    ),
    reproduce=reproduce,
    struck_control="fork_nodispose",
    survives_control="fork_dispose",
)

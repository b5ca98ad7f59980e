"""A worker is started inside the parent's transaction: it does not see the rows, or waits for the parent."""

from harness.fixes import COMMIT_FIRST
from harness.hazards.conditions import COMMITTED
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker

BLOCKED_BY = "select pg_blocking_pids(%s)"
"""A query for the backends whose locks another backend waits for."""


def work(worker: Worker, table: str) -> str:
    """Report the backend and the state of the order, then mark the order as done."""
    with worker.engine().begin() as connection:
        worker.report(connection.exec_driver_sql("select pg_backend_pid()").scalar())
        worker.report(connection.exec_driver_sql(f"select state from {table} where id = 1").scalar())
        connection.exec_driver_sql(
            f"insert into {table} values (1, 'done') on conflict (id) do update set state = excluded.state"
        )
    return "done"


def reproduce(parent: Parent) -> bool:
    with parent.table("id int primary key, state text") as table:
        return worker_waits(parent, table)


def worker_waits(parent: Parent, table: str) -> bool:
    """Whether a worker started after the parent's insert does not find the row, and waits for the parent."""
    engine = parent.engine()
    with engine.connect() as connection:
        transaction = connection.begin()
        own = connection.exec_driver_sql("select pg_backend_pid()").scalar()
        connection.exec_driver_sql(f"insert into {table} values (1, 'ordered')")
        if parent.keeps_condition:
            transaction.commit()
        else:
            parent.tell(
                "parent", "Has inserted an order in a transaction that is still open, and starts a worker."
            )
        worker = parent.start(work, table, engine=engine)
        backend, found = worker.answer(), worker.answer()
        if parent.keeps_condition:
            worker.answer()
            return bool(found != "ordered")
        parent.tell(
            "worker", f"Looks for the order, and finds {found or 'nothing'}; then it writes the order."
        )
        parent.wait_for(
            lambda: own in parent.ask(BLOCKED_BY, backend), "that the worker waits for the parent"
        )
        parent.tell("server", "The worker waits for the end of the parent's transaction, in a lock.")
        parent.tell("user", "Not found; and a parent that waits for its worker now waits for ever.")
        transaction.commit()
    parent.tell("parent", "Commits instead of waiting for the worker.")
    parent.tell("worker", f"Goes on at once: {worker.answer()}.")
    later = parent.start(work, table, engine=engine)
    later.answer()
    if later.answer() != "done":
        raise RuntimeError("a worker that starts after the commit does not find the row")
    parent.tell("worker", "Another one, started after the commit, finds the order.")
    return found is None


HAZARD = Hazard(
    id="uncommitted_parent",
    title="A worker started before the parent's commit",
    description=(
        "As long as the parent's transaction is open, its rows exist for no other session. A worker that is"
        " started, or a task that is sent, from within the transaction looks for them at once and finds"
        " nothing. Where it writes the same rows, or alters a table that the parent has used, it waits in a"
        " lock for the end of the parent's transaction. If the parent waits for the worker meanwhile, in"
        " join() or get(), both wait for ever: the server sees no deadlock, because half of it is in"
        " Python. This needs no fork, and every start method has it; it depends on which of the two is"
        " faster."
    ),
    symptom=(
        "A task does not find the row that was just inserted (DoesNotExist, NoResultFound), mostly on a"
        " fast queue. Or parent and worker stand still: in pg_stat_activity the parent is idle in"
        " transaction, and the worker waits for a Lock."
    ),
    affected_when=(
        "The worker finds no row, and its own statement waits for the parent's transaction"
        " (pg_blocking_pids)."
    ),
    avoidance=(
        "Commit first, then start the worker or send the task: at the end of the block, or in SQLAlchemy's"
        " event after_commit (Django: transaction.on_commit). Another start method does not help."
        " lock_timeout turns the wait into an error."
    ),
    fixes=(COMMIT_FIRST,),
    severity=Severity.HANG,
    messages=("NoResultFound: No row was found when one was required",),
    links=(
        "https://github.com/getsentry/sentry/issues/89284",
        "https://github.com/Healthlane-Technologies/Zango/issues/599",
        "https://docs.sqlalchemy.org/en/20/orm/events.html#sqlalchemy.orm.SessionEvents.after_commit",
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#database-transactions",
    ),
    condition=COMMITTED,
    affected_control="spawn",
    survives_within="a worker that starts after the commit must find the row",
    follows_releases=False,
)

"""A worker drops an inherited open transaction, and the parent's work is rolled back."""

import gc
from typing import Any

from harness.fixes import COMMIT_FIRST
from harness.hazards.conditions import NO_TRANSACTION
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Failed, Hung
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.session import attempt
from harness.hazards.inside.worker import Worker, synchronous

SCOPE: dict[str, Any] = {}
"""The global in which a program keeps the connection in use, as a scoped session does."""


def leave_scope(worker: Worker) -> None:
    """Treat the engine as the strategy does, then drop the inherited connection, as a scoped session does."""
    worker.engine()
    # It is closed, since after gc.freeze() a connection that is only dropped would never be collected.
    if connection := SCOPE.pop("connection", None):
        synchronous(connection).close()
    SCOPE.clear()
    gc.collect()


def reproduce(parent: Parent) -> bool:
    with parent.table("id int") as table:
        return commits_in_vain(parent, table)


def commits_in_vain(parent: Parent, table: str) -> bool:
    engine = parent.engine()
    parent.warm(engine)
    # No local variables, because the worker's copy of this function's frame would keep them alive.
    SCOPE["connection"] = engine.connect()
    SCOPE["transaction"] = SCOPE["connection"].begin()
    SCOPE["connection"].exec_driver_sql(f"insert into {table} values (1)")
    parent.tell("parent", "Has inserted a row in a transaction that is still open.")
    if parent.keeps_condition:
        SCOPE.pop("transaction").commit()
        SCOPE.pop("connection").close()
    worker = parent.start(leave_scope, engine=engine)
    try:
        worker.answer()
        parent.tell(
            "worker",
            "Closes the connection it inherited; the pool rolls back what it believes to be its own."
            if parent.strategy.inherits
            else "Inherited no connection, and has none to close.",
        )
        worker.join()
    except (Failed, Hung) as failed:
        parent.tell("worker", f"Closes the connection it inherited, and fails: {failed}")
    error = "" if parent.keeps_condition else attempt(SCOPE["transaction"].commit)[1]
    parent.tell("parent", "Commits, and fails." if error else "Commits, without an error.")
    rows = parent.ask(f"select count(*) from {table}")
    parent.tell("server", f"Has {rows} of the 1 row that was committed.")
    parent.tell("user", error or ("The row is there." if rows else "No error, and no row."))
    SCOPE.clear()
    return bool(rows != 1)


HAZARD = Hazard(
    id="lost_transaction",
    title="An inherited open transaction",
    description=(
        "A connection that is checked out at the fork is copied like everything else. When the worker drops"
        " its copy (a scoped session is removed, a variable goes out of scope), the pool resets the"
        " connection as always: it sends ROLLBACK over the parent's socket, into the parent's transaction."
        " The parent's commit raises no error, and its rows are gone. dispose(close=False) does not help: it"
        " replaces the pool, and this connection is not in the pool."
    ),
    symptom="Committed rows are missing. The server's log says: there is no transaction in progress.",
    affected_when="The row that the parent committed is not in the table.",
    avoidance=(
        "Commit or roll back, and give every connection back, before a worker starts. With spawn or"
        " forkserver the transaction is not lost, but they do not help either: the worker does not see its"
        " rows, and if it needs one that is locked while the parent waits for it, both wait for ever."
    ),
    fixes=(COMMIT_FIRST,),
    severity=Severity.SILENT_LOSS,
    messages=("WARNING:  there is no transaction in progress",),
    links=(
        "https://docs.sqlalchemy.org/en/20/core/pooling.html"
        "#using-connection-pools-with-multiprocessing-or-os-fork",
    ),
    by_driver=True,
    condition=NO_TRANSACTION,
    affected_control="fork_dispose",
    survives_control="spawn",
)

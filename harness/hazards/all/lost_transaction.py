"""A worker drops an inherited open transaction, and the parent's work is rolled back."""

import gc
import os
from typing import Any

from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker, plain

SCOPE: dict[str, Any] = {}
"""Where a program keeps the connection of its current work, like a scoped session does."""


def leave_scope(worker: Worker) -> None:
    """Make the engine safe, then remove what was going on in the parent, as a scoped session does."""
    worker.engine()
    # Closed and not only forgotten: where gc.freeze() keeps the collector away, nothing forgotten ever ends.
    if connection := SCOPE.pop("connection", None):
        connection.close()
    SCOPE.clear()
    gc.collect()


def reproduce(parent: Parent) -> bool:
    table = f"poolstart_work_{os.getpid()}"
    parent.ask(f"create unlogged table {table} (id int)")
    try:
        return commits_in_vain(parent, table)
    finally:
        parent.ask(f"drop table {table}")


def commits_in_vain(parent: Parent, table: str) -> bool:
    from sqlalchemy.exc import DBAPIError

    engine = parent.engine()
    parent.warm(engine)
    # No local names: the worker has this function's frame as well, and would keep what it names.
    SCOPE["connection"] = engine.connect()
    SCOPE["transaction"] = SCOPE["connection"].begin()
    SCOPE["connection"].exec_driver_sql(f"insert into {table} values (1)")
    parent.tell("parent", "Has inserted a row in a transaction that is still open.")
    worker = parent.start(leave_scope, engine=engine)
    worker.answer()
    worker.join()
    parent.tell(
        "worker",
        "Closes the connection it inherited; the pool rolls back what it believes to be its own."
        if parent.strategy.inherits
        else "Inherited no connection, and has none to forget.",
    )
    error = ""
    try:
        SCOPE["transaction"].commit()
        parent.tell("parent", "Commits, without an error.")
    except DBAPIError as raised:
        error = plain(raised)
        parent.tell("parent", "Commits, and fails.")
    rows = parent.ask(f"select count(*) from {table}")
    parent.tell("server", f"Has {rows} of the 1 row that was committed.")
    parent.tell("user", error or ("The row is there." if rows else "No error, and no row."))
    SCOPE.clear()
    return bool(rows != 1)


HAZARD = Hazard(
    id="lost_transaction",
    title="An inherited open transaction",
    description=(
        "A connection that is checked out at the fork is copied with the rest. When the worker drops its"
        " copy (a scoped session is removed, a variable goes out of scope), the pool resets it as always:"
        " it sends ROLLBACK, on the parent's socket, into the parent's transaction. The parent commits, is"
        " told that all is well, and its rows are gone. dispose(close=False) does not help: it treats the"
        " connections in the pool, and this one is not in the pool."
    ),
    symptom=(
        "Rows that were committed are missing. The server's log has: there is no transaction in progress."
    ),
    affected_when="The row the parent committed is not in the table.",
    avoidance="Start workers outside of transactions, or by spawn or forkserver.",
    severity=Severity.SILENT_LOSS,
    messages=("WARNING:  there is no transaction in progress",),
    links=(
        "https://docs.sqlalchemy.org/en/20/core/pooling.html"
        "#using-connection-pools-with-multiprocessing-or-os-fork",
    ),
    reproduce=reproduce,
    affected_control="fork_dispose",
    survives_control="spawn",
)

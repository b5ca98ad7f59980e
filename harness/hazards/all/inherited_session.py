"""The worker goes on using an ORM session that was open at the fork."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from harness.hazards.conditions import NO_TRANSACTION
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker, plain

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

REGISTRY: dict[str, Any] = {}
"""The global in which a program keeps its scoped session; empty in a spawned worker."""


def session(engine: Engine) -> Any:
    """The scoped session of this process, made for `engine` if there is none yet."""
    from sqlalchemy.orm import scoped_session, sessionmaker

    if "session" not in REGISTRY:
        REGISTRY["session"] = scoped_session(sessionmaker(bind=engine))
    return REGISTRY["session"]


def insert(scoped: Any, table: str, who: str) -> None:
    from sqlalchemy import text

    scoped.execute(text(f"insert into {table} values ('{who}')"))


def work(worker: Worker, table: str) -> None:
    scoped = session(worker.engine())
    insert(scoped, table, "worker")
    scoped.commit()


def rows_after(parent: Parent, table: str, close_first: bool) -> tuple[list[str], str]:
    """The rows after the worker's commit and the parent's rollback, and the error of the rollback."""
    from sqlalchemy.exc import DBAPIError

    engine = parent.engine()
    parent.warm(engine)
    scoped = session(engine)
    if close_first:
        scoped.remove()
    else:
        insert(scoped, table, "parent")
    error = ""
    worker = parent.start(work, table, engine=engine)
    worker.answer()
    worker.join()
    try:
        if close_first:
            insert(scoped, table, "parent")
        scoped.rollback()
    except DBAPIError as raised:
        error = plain(raised)
    REGISTRY.clear()
    rows = parent.ask(f"select coalesce(array_agg(who order by who), '{{}}') from {table}")
    parent.ask(f"truncate {table}")
    return rows, error


def reproduce(parent: Parent) -> bool:
    table = f"poolstart_session_{os.getpid()}"
    parent.ask(f"create unlogged table {table} (who text)")
    try:
        rows, error = rows_after(parent, table, close_first=False)
        closed, _ = rows_after(parent, table, close_first=True)
    finally:
        parent.ask(f"drop table {table}")
    parent.tell("parent", "Inserts a row in its scoped session, starts a worker, and rolls back.")
    parent.tell("worker", "Inserts a row in its scoped session and commits.")
    parent.tell("server", f"Has the rows of: {', '.join(rows) or 'neither'}.")
    affected = rows != ["worker"] or bool(error)
    if "parent" in rows:
        parent.tell("user", "No error, and the row that was rolled back is there: the worker committed it.")
    else:
        parent.tell("user", error or ("A row is missing." if affected else "Nothing unusual."))
    parent.tell("server", f"With the session closed before the start: the rows of {', '.join(closed)}.")
    return affected


def reproduce_with_condition(parent: Parent) -> bool:
    """The parent closes its session before the worker starts."""
    table = f"poolstart_session_{os.getpid()}"
    parent.ask(f"create unlogged table {table} (who text)")
    try:
        rows, error = rows_after(parent, table, close_first=True)
    finally:
        parent.ask(f"drop table {table}")
    return rows != ["worker"] or bool(error)


HAZARD = Hazard(
    id="inherited_session",
    title="An ORM session that is open at the fork",
    description=(
        "A session holds its connection from the first query until commit, rollback or close. If the process"
        " forks in between, parent and worker each have a copy, of one transaction: when one of them ends it,"
        " it is ended for both. The worker finds a scoped session again, because the thread that forks lives"
        " on there. The worker's commit commits what the parent had not finished, and the parent's rollback"
        " comes too late. Nothing done to the pool helps: this connection is not in it."
    ),
    symptom=(
        "Half of a transaction is in the database, although it was rolled back. Or rows of a worker are lost."
    ),
    affected_when=(
        "After the worker's commit and the parent's rollback, the table does not contain exactly the worker's"
        " row."
    ),
    avoidance=(
        "Call Session.remove() or session.close() in the parent before it starts workers, and use a new"
        " session in the worker: Session = scoped_session(sessionmaker(bind=engine)). Do not call"
        " Session.remove() in the worker: that rolls back the parent's transaction."
    ),
    severity=Severity.WRONG_DATA,
    messages=("WARNING:  there is no transaction in progress",),
    links=(
        "https://github.com/pallets-eco/flask-sqlalchemy/issues/745",
        "https://github.com/emissions-api/emissions-api/pull/237",
    ),
    reproduce=reproduce,
    condition=NO_TRANSACTION,
    reproduce_with_condition=reproduce_with_condition,
    affected_control="fork_dispose",
    survives_control="spawn",
)

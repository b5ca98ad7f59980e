"""The worker goes on using an ORM session that was open at the fork."""

from dataclasses import dataclass
from typing import Any

from harness.fixes import NO_OPEN_SESSION
from harness.hazards.conditions import NO_TRANSACTION
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Failed
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.worker import Worker, plain

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


@dataclass(frozen=True)
class SessionsEnd:
    """What is left after the worker's commit and the parent's rollback."""

    rows: list[str]
    worker_failed: str
    """The worker's error; empty if it has committed."""
    parent_failed: str
    """The error of the parent's rollback; empty if it succeeded."""

    @property
    def affected(self) -> bool:
        """Whether the table has other rows than the two processes expect, or the parent failed."""
        return self.rows != ([] if self.worker_failed else ["worker"]) or bool(self.parent_failed)


def end_of_both(parent: Parent, close_first: bool) -> SessionsEnd:
    from sqlalchemy.exc import DBAPIError

    engine = parent.engine()
    parent.warm(engine)
    scoped = session(engine)
    worker_failed = parent_failed = ""
    with parent.table("who text") as table:
        if close_first:
            scoped.remove()
        else:
            insert(scoped, table, "parent")
        worker = parent.start(work, table, engine=engine)
        try:
            worker.answer()
        except Failed as failed:
            worker_failed = str(failed)
        worker.join()
        try:
            if close_first:
                insert(scoped, table, "parent")
            scoped.rollback()
        except DBAPIError as raised:
            parent_failed = plain(raised)
        # The session of a parent that failed may still hold locks.
        scoped.remove()
        REGISTRY.clear()
        rows = parent.ask(f"select coalesce(array_agg(who order by who), '{{}}') from {table}")
    return SessionsEnd(rows, worker_failed, parent_failed)


def reproduce(parent: Parent) -> bool:
    closed = end_of_both(parent, close_first=True)
    if parent.keeps_condition:
        return closed.affected or bool(closed.worker_failed)
    end = end_of_both(parent, close_first=False)
    parent.tell("parent", "Inserts a row in its scoped session, starts a worker, and rolls back.")
    parent.tell(
        "worker",
        f"Inserts a row in its scoped session, and fails: {end.worker_failed}"
        if end.worker_failed
        else "Inserts a row in its scoped session and commits.",
    )
    parent.tell("server", f"Has the rows of: {', '.join(end.rows) or 'neither'}.")
    if "parent" in end.rows:
        parent.tell("user", "No error, and the row that was rolled back is there: the worker committed it.")
    else:
        error = end.parent_failed or end.worker_failed
        parent.tell("user", error or ("A row is missing." if end.affected else "Nothing unusual."))
    parent.tell("server", f"With the session closed before the start: the rows of {', '.join(closed.rows)}.")
    return end.affected


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
        " row. A worker that fails with an error has committed none."
    ),
    avoidance=(
        "Call Session.remove() or session.close() in the parent before it starts workers, and use a new"
        " session in the worker: Session = scoped_session(sessionmaker(bind=engine)). Do not call"
        " Session.remove() in the worker: that rolls back the parent's transaction."
    ),
    fixes=(NO_OPEN_SESSION,),
    severity=Severity.WRONG_DATA,
    messages=("WARNING:  there is no transaction in progress",),
    links=(
        "https://github.com/pallets-eco/flask-sqlalchemy/issues/745",
        "https://github.com/emissions-api/emissions-api/pull/237",
    ),
    condition=NO_TRANSACTION,
    affected_control="fork_dispose",
    survives_control="spawn",
)

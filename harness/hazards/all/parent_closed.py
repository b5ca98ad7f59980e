"""A connection that the worker closes is closed for the parent too."""

from typing import Any

from harness.fixes import EVERY_ENGINE, OTHER_CONNECTION
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Failed, Hung
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker


def dispose(worker: Worker) -> None:
    """Dispose of the engine at the end, as a careful program does."""
    worker.engine().dispose()


def invalidate(worker: Worker) -> None:
    """Invalidate a connection that seems broken."""
    with worker.engine().connect() as connection:
        connection.invalidate()


def query(worker: Worker) -> None:
    with worker.engine().connect() as connection:
        connection.exec_driver_sql("select 1")


WAYS: tuple[tuple[str, Any, dict[str, Any]], ...] = (
    ("dispose()", dispose, {}),
    ("invalidate()", invalidate, {}),
    # After 0 seconds every connection is too old at its next checkout.
    ("a pool_recycle that has expired", query, {"pool_recycle": 0}),
)


def reproduce(parent: Parent) -> bool:
    affected = False
    parent.tell("parent", "Uses its engine once and starts a worker; again for each way of closing.")
    for name, task, options in WAYS:
        engine = parent.engine(**options)
        session = parent.warm(engine)
        worker = parent.start(task, engine=engine)
        try:
            worker.answer()
            worker.join()
        except (Failed, Hung) as error:
            parent.tell("worker", f"Fails after {name}: {error}.")
            affected = True
        else:
            parent.tell("worker", f"Is done, after {name}.")
        failure = session.error()
        if failure:
            parent.tell(
                "server",
                f"Has the parent's backend {session.backend}, which got no query."
                if parent.backend_alive(session.backend)
                else f"Received Terminate on the parent's connection, ended backend {session.backend}.",
            )
            parent.tell("user", failure)
            affected = True
        elif session.closed:
            parent.tell("server", "Had no session of the parent's: the parent had closed it before.")
        else:
            parent.tell("server", f"Received no Terminate on it: backend {session.backend} lives.")
    if not affected:
        parent.tell("user", "Nothing unusual.")
    return affected


HAZARD = Hazard(
    id="parent_closed",
    title="The worker closes the parent's session",
    description=(
        "Closing a connection sends a Terminate message to the server, whichever process closes it. A worker"
        " that disposes of an inherited pool, invalidates one of its connections, or finds one older than"
        " pool_recycle, ends the parent's session: the server cannot know that the other process still needs"
        " it."
    ),
    symptom=(
        "server closed the connection unexpectedly, in the parent, at its first query after a worker has"
        " ended."
    ),
    affected_when=(
        "The parent's session no longer answers after the worker's dispose(), invalidate() or expired"
        " pool_recycle."
    ),
    avoidance=(
        "On an inherited engine call dispose(close=False), never dispose(), and call it before anything else"
        " is done with the engine."
    ),
    fixes=(EVERY_ENGINE, OTHER_CONNECTION),
    severity=Severity.LOUD_ERROR,
    messages=(
        "server closed the connection unexpectedly",
        "This probably means the server terminated abnormally before or while processing the request.",
    ),
    links=(
        "https://github.com/sqlalchemy/sqlalchemy/issues/7815",
        "https://github.com/sqlalchemy/sqlalchemy/issues/7877",
        "https://github.com/ckan/ckan/issues/3243",
    ),
    by_driver=True,
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
)

"""Parent and worker use one connection to the server."""

from harness.fixes import EVERY_ENGINE, OTHER_CONNECTION, OWN_CONNECTIONS
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Failed, Hung
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker


def backend_of(worker: Worker) -> int:
    with worker.engine().connect() as connection:
        return int(connection.exec_driver_sql("select pg_backend_pid()").scalar() or 0)


def reproduce(parent: Parent) -> bool:
    engine = parent.engine()
    session = parent.warm(engine)
    parent.tell("parent", f"Has used its engine once; its backend is {session.backend}.")
    worker = parent.start(backend_of, engine=engine)
    error, backend = "", 0
    try:
        backend = worker.answer()
        worker.join()
        parent.tell("worker", f"Asks the server for its backend, and reads {backend}.")
    except (Failed, Hung) as failed:
        error = str(failed)
        parent.tell("worker", f"Asks the server for its backend, and fails: {error}.")
    closed_before = session.closed
    failure = session.error()
    if closed_before:
        parent.tell("parent", "Has closed its connection before: there is none to share.")
    else:
        parent.tell("parent", f"Queries over its connection afterwards: {failure or 'it answers as before'}.")
    if backend == session.backend:
        parent.tell("server", "Sees one session, although there are two processes.")
        parent.tell("user", "Nothing, until both query at once: other hazards begin here.")
        return True
    if failure:
        alive = parent.backend_alive(session.backend)
        parent.tell("server", f"Has {'the' if alive else 'no longer the'} parent's session.")
        parent.tell("user", failure)
        return True
    if error:
        parent.tell("server", "Had no session of the worker's own.")
        parent.tell("user", error)
        return True
    parent.tell("server", "Had a session of the worker's own.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="shared_socket",
    title="One connection, two processes",
    description=(
        "A forked worker inherits the open sockets of the parent's connection pool. When it checks out a"
        " connection, it gets the parent's: two processes write to one session and read from one stream of"
        " answers, and neither notices."
    ),
    symptom=(
        "Nothing at first. Later, errors without an apparent cause, in programs that have run for months."
    ),
    affected_when=(
        "The worker's backend is the parent's, the worker fails, or the parent's connection no longer"
        " answers."
    ),
    avoidance=OWN_CONNECTIONS,
    fixes=(EVERY_ENGINE, OTHER_CONNECTION),
    severity=Severity.WRONG_DATA,
    messages=(),
    links=(
        "https://www.postgresql.org/docs/current/libpq-connect.html",
        "https://www.psycopg.org/docs/usage.html#thread-and-process-safety",
        "https://github.com/eclecticiq/OpenTAXII/issues/253",
    ),
    by_driver=True,
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
)

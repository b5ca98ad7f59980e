"""Descriptors are closed underneath the driver, as daemons do, and their numbers are used again."""

import contextlib
import os
from typing import Any

from harness.fixes import EVERY_ENGINE, OTHER_CONNECTION
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Failed
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker

BACKEND = "select pg_backend_pid()"

KEPT: list[Any] = []
"""The daemon's own connections, outside every pool."""


def close_descriptors(worker: Worker) -> set[int]:
    """Close all sockets but the pipe to the parent, like DaemonContext, and return their numbers."""
    closed = set()
    for number in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{number}").startswith("socket:") and number != worker.descriptor:
                os.close(number)
                closed.add(number)
    return closed


def query_after_closing(worker: Worker) -> int:
    """Query over the pool after the descriptors have been closed; return the backend that answers."""
    close_descriptors(worker)
    with worker.engine().connect() as connection:
        return int(connection.exec_driver_sql(BACKEND).scalar() or 0)


def query_after_reuse(worker: Worker, url: str) -> tuple[int, list[int], bool]:
    """The same, after the daemon has opened connections of its own, which get the numbers that became free.

    Also returns the backends of these connections, and whether each of them still answers.
    """
    import psycopg2

    free = close_descriptors(worker)
    while not KEPT or any(number > KEPT[-1].fileno() for number in free):
        KEPT.append(psycopg2.connect(url, gssencmode="disable"))
    with worker.engine().connect() as connection:
        backend = int(connection.exec_driver_sql(BACKEND).scalar() or 0)
    return backend, [each.info.backend_pid for each in KEPT], all(map(answers, KEPT))


def answers(connection: Any) -> bool:
    """Whether the server answers over this connection of the daemon's own."""
    import psycopg2

    try:
        with connection.cursor() as cursor:
            cursor.execute(BACKEND)
            return bool(cursor.fetchone()[0] == connection.info.backend_pid)
    except psycopg2.Error:
        return False


def reproduce(parent: Parent) -> bool:
    engine = parent.engine()
    parent.warm(engine)
    parent.tell("parent", "Has queried over its pool, and starts workers that become daemons.")
    error = result = ""
    try:
        parent.start(query_after_closing, engine=engine).answer()
        parent.tell("worker", "Closes all sockets, and queries over its engine: a row.")
    except Failed as failed:
        error = str(failed)
        parent.tell("worker", "Closes all sockets, and queries over its engine: an error.")
    try:
        worker = parent.start(query_after_reuse, parent.server.url, engine=engine)
        backend, others, all_answer = worker.answer()
        if backend in others:
            result = "The pool of the daemon queries over another connection of the daemon, without an error."
        elif not all_answer:
            result = "Another connection of the daemon was closed by its pool."
    except Failed as failed:
        result = str(failed)
    parent.tell("worker", "Closes all sockets, opens connections of its own, and queries over its engine.")
    parent.tell("server", "Sees both use one session." if result else "Has a session for each.")
    parent.tell("user", error or result or "Nothing unusual.")
    if error and result:
        parent.tell("user", result)
    return bool(error or result)


HAZARD = Hazard(
    id="reused_descriptor",
    title="A descriptor closed or used again underneath the driver",
    description=(
        "A program that becomes a daemon (python-daemon's DaemonContext, a double fork, os.closerange)"
        " closes all descriptors, the driver's sockets included. The pool does not know it: the next query"
        " fails. Worse, the next thing that is opened gets the same number. If that is a file or a pipe,"
        " the driver fails; if it is another connection, the query goes to that session without an error,"
        " into its transaction, with its role and its database. So comparing descriptor numbers proves"
        " nothing; the inode of the socket (os.fstat) does. Plain dispose() afterwards says goodbye on"
        " whatever has the number now."
    ),
    symptom=(
        "Bad file descriptor, or Socket operation on non-socket, in the daemon only, at its first query. Or"
        " queries reach another database."
    ),
    affected_when=(
        "After its descriptors were closed a worker's query fails, uses a session that belongs to another"
        " connection, or ends that session."
    ),
    avoidance=(
        "Call engine.dispose() before the program becomes a daemon: the process that goes on is the only"
        " one. Or call engine.dispose(close=False) in the daemon before its first query, on every engine."
        " Or make the engine only there."
    ),
    fixes=(EVERY_ENGINE, OTHER_CONNECTION),
    severity=Severity.WRONG_DATA,
    messages=(
        "could not receive data from server: Bad file descriptor",
        "could not send data to server: Bad file descriptor",
        "could not send data to server: Socket operation on non-socket",
        "could not receive data from server: Socket operation on non-socket",
    ),
    links=(
        "https://github.com/globus/globus-compute/issues/2106",
        "https://peps.python.org/pep-3143/",
    ),
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
    follows_releases=False,
)

"""A connection that the program keeps in a global, outside every pool."""

import threading
from typing import Any

from harness.fixes import CLOSE_DJANGO, OTHER_CONNECTION
from harness.hazards.conditions import NO_OTHER_CONNECTION
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker


class Connections(threading.local):
    """A connection for each thread, made on first use: a minimal version of Django's handler."""

    connection: Any = None

    def get(self, url: str) -> Any:
        import psycopg2

        if self.connection is None:
            self.connection = psycopg2.connect(url)
        return self.connection

    def close_all(self) -> None:
        self.connection.close()
        self.connection = None


CONNECTIONS = Connections()
"""The global of a framework. A spawned worker has a new one, without a connection."""


def backend(url: str) -> int:
    with CONNECTIONS.get(url).cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        return int(cursor.fetchone()[0])


def ask(worker: Worker, url: str) -> int:
    worker.engine()
    return backend(url)


def reproduce(parent: Parent) -> bool:
    engine = parent.engine()
    parent.warm(engine)
    url = parent.server.url
    before = backend(url)
    parent.tell("parent", f"Queries over the connection of its framework, backend {before}.")
    if parent.keeps_condition:
        CONNECTIONS.close_all()
        return bool(parent.start(ask, url, engine=engine).answer() == before)
    asked = parent.start(ask, url, engine=engine).answer()
    shared = bool(asked == before)
    parent.tell(
        "worker", f"Treats the engine as its strategy does, queries over its framework's: backend {asked}."
    )
    parent.tell("server", "Sees one session for two processes." if shared else "Has a session for each.")
    parent.tell("user", "Nothing, until both query at once." if shared else "Nothing unusual.")
    CONNECTIONS.close_all()
    if parent.start(ask, url, engine=engine).answer() == backend(url):
        raise RuntimeError("a connection that was closed before the start is shared")
    parent.tell("parent", "Closes it before it starts another worker: nothing is shared.")
    return shared


HAZARD = Hazard(
    id="handler_copy",
    title="A framework's own connection, outside the pool",
    description=(
        "Django, many ORMs and much hand-written code keep an open connection in a global, often one for each"
        " thread. fork copies it, the thread that forks finds it again in the worker, and it is in no pool:"
        " nothing done to an engine reaches it. Closing it in the worker sends a Terminate message to the"
        " server, which ends the parent's session."
    ),
    symptom=(
        "Workers of a Django program get each other's rows, or lost synchronization with server, although its"
        " SQLAlchemy engine is disposed of."
    ),
    affected_when="The worker's backend is that of the parent's global connection.",
    avoidance=(
        "Close it in the parent before every fork: django.db.connections.close_all(). Or let each worker make"
        " its own, and keep the inherited one unused: closing it would end the parent's session. Or start"
        " workers with spawn or forkserver."
    ),
    fixes=(OTHER_CONNECTION, CLOSE_DJANGO),
    severity=Severity.WRONG_DATA,
    messages=(
        "error with status PGRES_TUPLES_OK and no message from the libpq",
        "lost synchronization with server: got message type",
        "SSL error: decryption failed or bad record mac",
    ),
    links=(
        "https://github.com/django-commons/django-tasks-scheduler/pull/394",
        "https://github.com/zulip/zulip/pull/39726",
    ),
    condition=NO_OTHER_CONNECTION,
    affected_control="fork_dispose",
    survives_control="spawn",
    follows_releases=False,
)

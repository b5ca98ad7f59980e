"""A lock inside the driver's libraries is held by another thread at the fork."""

import os
import threading
from pathlib import Path

from harness.fixes import NO_FORK
from harness.hazards.conditions import ONE_THREAD
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import START_DEADLINE, Hung, WorkerHandle
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker
from harness.processes import proc
from harness.processes.wait import wait_until

CONFIGURATION = "OPENSSL_CONF"
"""Environment variable: the file that OpenSSL reads once, while libpq holds its lock for TLS."""

DRIVER = "psycopg2/__init__.py"
"""The file of the function in which the worker waits, as Python sees it."""

LOOKS = 10
"""Looks at a silent worker before it counts as waiting for something else."""


def connect(worker: Worker, inherited: int) -> None:
    """Close an inherited descriptor, then connect once with the strategy's engine."""
    if inherited >= 0:
        os.close(inherited)
    worker.engine().raw_connection().close()


def open_for_writing(pipe: Path) -> int | None:
    """Open a named pipe for writing; return its descriptor, or None until a thread has opened it to read."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def waits_for_lock(worker: WorkerHandle) -> bool:
    """Whether the worker waits for a lock and not for a server; True if the kernel does not say."""
    found = proc.stat(worker.pid)
    waiting_in = Path(f"/proc/{worker.pid}/wchan").read_text()
    return found is not None and found.state == "S" and ("futex" in waiting_in or waiting_in in ("", "0"))


def hang_at_lock(worker: WorkerHandle) -> Hung | None:
    """Wait until the worker answers, or hangs at a lock below the driver's function; return the hang or None.

    On a busy machine the server may be silent for as long as a worker that hangs. Raises `RuntimeError` if
    the worker continues to wait for something else.
    """
    for _ in range(LOOKS):
        hang = worker.hang()
        if hang is None or (hang.inside(DRIVER) and waits_for_lock(worker)):
            return hang
    raise RuntimeError(f"the worker hangs, but not at a lock of the driver's libraries: {hang}")


def thread_in_library(parent: Parent) -> tuple[threading.Thread, int]:
    """Start a thread that stops while it connects; closing the returned descriptor lets it continue."""
    import psycopg2

    pipe = parent.scratch / "openssl.cnf"
    os.mkfifo(pipe)
    os.environ[CONFIGURATION] = str(pipe)
    thread = threading.Thread(
        target=lambda: psycopg2.connect(parent.server.url, gssencmode="disable").close(), daemon=True
    )
    thread.start()
    descriptor = wait_until(lambda: open_for_writing(pipe), START_DEADLINE, poll=0.005)
    if descriptor is None:
        raise RuntimeError("no thread has come to read the configuration of OpenSSL")
    del os.environ[CONFIGURATION]
    return thread, descriptor


def reproduce(parent: Parent) -> bool:
    engine = parent.engine()
    thread, descriptor = thread_in_library(parent)

    def let_connect() -> None:
        os.close(descriptor)
        thread.join()

    if parent.keeps_condition:
        let_connect()
        worker = parent.start(connect, -1, engine=engine)
    else:
        worker = parent.start(connect, descriptor if parent.strategy.inherits else -1, engine=engine)
        let_connect()
    parent.tell("parent", "Another thread is connecting, inside libpq, while the worker is started.")
    parent.tell("parent", "That thread has connected, and ended.")
    if hang := hang_at_lock(worker):
        parent.tell("worker", f"Connects, and waits for a copy of that thread's lock in the library: {hang}.")
        parent.tell("server", "Waits for the worker's TLS handshake, which does not come.")
        parent.tell("user", "A worker that hangs in its first connect, whatever is done to its pool.")
        return True
    parent.tell("worker", "Connects.")
    parent.tell("server", "Had a session for the worker.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="native_lock",
    title="A lock of the driver's libraries held at the fork",
    description=(
        "The libraries under a driver have locks of which Python knows nothing: libpq's for the set-up of"
        " TLS, those of OpenSSL, of Kerberos (by default libpq calls gss_acquire_cred before each connect,"
        " with or without a ticket) and of the resolver. If another thread of the parent is connecting at"
        " the fork, the worker gets a lock that stays locked, and its first connect waits for it for ever,"
        " in C: no timeout of pool or connection applies. It looks like pool_lock, but dispose(close=False)"
        " does not help, nor does an engine made in the worker. The stack tells them apart: pool_lock waits"
        " in sqlalchemy/util/queue.py; this one waits in the driver's connect, and py-spy dump --native or"
        " gdb -p PID -ex bt shows pthread_mutex_lock under PQconnectPoll or gss_acquire_cred."
    ),
    symptom=(
        "Now and then a worker of a multithreaded parent hangs in its first connect, in psycopg2.connect()"
        " or psycopg.connect(), although its engine is its own."
    ),
    affected_when="The worker waits for a lock inside the driver's connect.",
    avoidance=(
        "Start workers with spawn or forkserver, or before the first thread that connects. Settings make it"
        " rarer, one library each: gssencmode=disable in the URL or PGGSSENCMODE=disable for Kerberos,"
        " sslmode=disable for TLS."
    ),
    fixes=(NO_FORK,),
    severity=Severity.HANG,
    messages=("multi-threaded, use of fork() may lead to deadlocks in the child",),
    links=(
        "https://github.com/apache/airflow/issues/71707",
        "https://www.postgresql.org/docs/current/libpq-threading.html",
        "https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-GSSENCMODE",
    ),
    condition=ONE_THREAD,
    affected_control="fork_dispose",
    survives_control="spawn",
    follows_releases=False,
    needs_tls=True,
    monitored=False,
)

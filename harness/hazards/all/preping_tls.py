"""A pre-ping uses the inherited connection before the pid guard can refuse it."""

import os
from typing import Any

from harness.fixes import EVERY_ENGINE
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.worker import Worker, plain


def check_pid_at_checkout(engine: Engine) -> None:
    """The guard from SQLAlchemy's documentation: refuses connections that another process has made."""
    from sqlalchemy import event, exc

    @event.listens_for(engine, "connect")
    def connect(dbapi_connection: Any, record: Any) -> None:
        record.info["pid"] = os.getpid()

    @event.listens_for(engine, "checkout")
    def checkout(dbapi_connection: Any, record: Any, proxy: Any) -> None:
        if record.info["pid"] != os.getpid():
            # The attribute was called `connection` until 1.4.24.
            name = "dbapi_connection" if hasattr(record, "dbapi_connection") else "connection"
            setattr(record, name, None)
            setattr(proxy, name, None)
            raise exc.DisconnectionError("the connection belongs to another process")


def query(worker: Worker) -> str:
    engine = worker.engine()
    worker.report("listening")
    worker.wait()
    with engine.connect() as connection:
        return str(connection.exec_driver_sql("select 'worker'").scalar())


def transaction(parent: Parent, pre_ping: bool) -> str:
    """Let a worker check a connection out; return the error of the parent's transaction, empty if none."""
    from sqlalchemy.exc import DBAPIError

    engine = parent.engine(pool_pre_ping=pre_ping)
    check_pid_at_checkout(engine)
    parent.warm(engine)
    # The worker starts while the connection is in the pool: it would not ping one that is checked out.
    worker = parent.start(query, engine=engine)
    worker.answer()
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("select 'parent'")
            worker.say()
            answer = worker.answer()
            connection.exec_driver_sql("select 'parent'")
    except DBAPIError as error:
        return plain(error)
    return "" if answer == "worker" else f"select 'worker' returned {answer!r}"


def reproduce(parent: Parent) -> bool:
    parent.tell("parent", "Guards its pool by the pid, starts a worker, and begins a transaction.")
    alone = transaction(parent, pre_ping=False)
    parent.tell("worker", "Checks a connection out, without a pre-ping.")
    parent.tell("parent", alone or "Ends its transaction without an error.")
    error = transaction(parent, pre_ping=True)
    if error:
        parent.tell("worker", "Checks out with a pre-ping, which is sent on the inherited connection first.")
        parent.tell("server", "Receives a record number twice, and ends the parent's session.")
        parent.tell("user", f"In the parent, in the middle of its transaction: {error}")
        return True
    parent.tell("worker", "Checks out with a pre-ping, on a connection of its own.")
    parent.tell("server", "Has a session for each.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="preping_tls",
    title="pool_pre_ping comes before the pid guard",
    description=(
        "The pid guard in SQLAlchemy's documentation listens to the checkout event and refuses a connection"
        " that another process has made. pool_pre_ping comes before it: the ping is sent over the inherited"
        " socket, and only then is the connection refused. Over TLS that is enough: the server receives the"
        " number of a record twice and ends the session, in the middle of whatever the parent is doing. The"
        " worker's ping fails too, is taken for a lost connection, and the worker continues with a new one."
    ),
    symptom=(
        "With the pid guard and pool_pre_ping=True, the parent loses its session when a worker starts to"
        " work."
    ),
    affected_when="The parent's transaction fails with pool_pre_ping=True.",
    avoidance=(
        "Call engine.dispose(close=False) first thing in the worker: then there is nothing to ping. The pid"
        " guard alone, without pool_pre_ping, is safe too."
    ),
    fixes=(EVERY_ENGINE,),
    severity=Severity.LOUD_ERROR,
    messages=(
        "SSL error: decryption failed or bad record mac",
        "SSL connection has been closed unexpectedly",
        "SSL SYSCALL error: EOF detected",
    ),
    links=(
        "https://github.com/sqlalchemy/sqlalchemy/issues/9743",
        "https://docs.sqlalchemy.org/en/20/core/pooling.html"
        "#using-connection-pools-with-multiprocessing-or-os-fork",
    ),
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
    needs_tls=True,
)

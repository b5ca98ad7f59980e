"""A fork while another thread makes the engine's first connection."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.hazards.conditions import ONE_THREAD
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Hung
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.worker import Worker, plain


def first_queries(worker: Worker) -> tuple[Any, Any, str]:
    """Query, then return the dialect's server version and default schema, and the error of a reflection."""
    from sqlalchemy import inspect

    engine = worker.engine()
    with engine.connect() as connection:
        connection.exec_driver_sql("select 1")
    error = ""
    try:
        inspect(engine).get_columns("pg_class", schema="pg_catalog")
    except TypeError as raised:
        error = plain(raised)
    return getattr(engine.dialect, "server_version_info", None), engine.dialect.default_schema_name, error


@contextmanager
def first_connect_under_way(engine: Engine) -> Iterator[None]:
    """Another thread makes the first connection, and is in `dialect.initialize()` during the context."""
    dialect: Any = engine.dialect
    initialize, home = dialect.initialize, os.getpid()
    entered, proceed = threading.Event(), threading.Event()

    def pausing(connection: Any) -> None:
        if os.getpid() == home:
            entered.set()
            proceed.wait()
        initialize(connection)

    def connect() -> None:
        with engine.connect():
            pass

    dialect.initialize = pausing
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    entered.wait()
    try:
        yield
    finally:
        proceed.set()
        thread.join()


def reproduce(parent: Parent) -> bool:
    engine = parent.engine()
    if parent.keeps_condition:
        parent.warm(engine)  # so that the first connect is over
    worker = parent.start(first_queries, engine=engine, during=lambda: first_connect_under_way(engine))
    parent.tell(
        "parent", "A thread is making the first connection of a new engine while the worker is started."
    )
    try:
        version, schema, error = worker.answer()
    except Hung as hung:
        parent.tell("worker", f"Waits for a first connect that no thread of its process is making: {hung}.")
        parent.tell("server", "Sees the parent's connection only.")
        parent.tell("user", "A worker that hangs in its first engine.connect().")
        return True
    if version is None or schema is None or error:
        parent.tell(
            "worker",
            f"Continues with a dialect that has server version {version} and default schema {schema}.",
        )
        parent.tell("server", "Was never asked for its version by the worker.")
        parent.tell("worker", "Sends a query, which works, and asks for the columns of a table.")
        parent.tell("user", error or "Nothing yet: every query so far was answered.")
        return True
    parent.tell("worker", f"Knows its server: version {version}, default schema {schema}.")
    parent.tell("server", "Was asked for its version by the parent and by the worker.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="half_initialized",
    title="A dialect that is only half initialized",
    description=(
        "On an engine's first connection SQLAlchemy asks the server for its version, its default schema and"
        " more, once, under a lock. A fork in the middle of this copies an engine whose initialization has"
        " begun and will never finish: the worker hangs at the lock or, with a new pool, continues with a"
        " dialect that knows nothing of the server. Queries then work until one depends on the server's"
        " version, as the reflection of a table does. A new pool does not cure this, because the dialect"
        " stays."
    ),
    symptom=(
        "A worker started early in a multithreaded program hangs in its first connect, or fails when it first"
        " reflects a table: '>=' not supported between instances of 'NoneType' and 'tuple'."
    ),
    affected_when=(
        "The worker hangs, or its dialect has no server version or default schema after its first query."
    ),
    avoidance="Connect once before the first thread and the first fork, or create the engine in the worker.",
    severity=Severity.HANG,
    messages=(
        "'>=' not supported between instances of 'NoneType' and 'tuple'",
        "multi-threaded, use of fork() may lead to deadlocks in the child",
    ),
    links=(
        "https://github.com/sqlalchemy/sqlalchemy/issues/6337",
        "https://github.com/sqlalchemy/sqlalchemy/issues/4807",
    ),
    condition=ONE_THREAD,
    affected_control="fork_dispose",
    survives_control="spawn",
)

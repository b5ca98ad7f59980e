"""A driver that closes a connection when it is garbage-collected, in whichever process that happens."""

import gc
import sys
from typing import Any

from harness.drivers import MEASURED
from harness.hazards.conditions import PSYCOPG
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker

SCOPE: dict[str, Any] = {}
"""The parent's references. Local variables would exist in the worker's copy of the stack as well."""


def polite_connection() -> Any:
    """psycopg2's connection with a finalizer like mysqlclient's: it closes without checking the pid."""
    import psycopg2.extensions

    class Polite(psycopg2.extensions.connection):  # type: ignore[misc]
        def __del__(self) -> None:
            self.close()

    return Polite


def treat(worker: Worker, keep_pool: bool) -> None:
    """Treat the engine as the strategy does, then collect garbage."""
    SCOPE.pop("session", None)
    if not keep_pool:
        SCOPE.clear()
    worker.engine()
    # References that the strategy keeps for an asynchronous driver would keep the finalizer from running.
    if kept := sys.modules.get("harness.treatments_async"):
        kept.KEPT.clear()
    gc.collect()


def error_of_session(parent: Parent, keep_pool: bool) -> str:
    """Treat the engine in a worker; return the error of the parent's session, empty if it still answers."""
    # psycopg2's own finalizer compares the pid.
    own = parent.keeps_condition or parent.driver != MEASURED
    engine = parent.engine(connect_args={} if own else {"connection_factory": polite_connection()})
    SCOPE["session"] = parent.warm(engine)
    SCOPE["pool"] = engine.pool
    worker = parent.start(treat, keep_pool, engine=engine)
    worker.answer()
    worker.join()
    failure: str = SCOPE["session"].error()
    return failure


def reproduce(parent: Parent) -> bool:
    driver = "a driver whose finalizer closes" if parent.driver == MEASURED else parent.driver.title
    parent.tell("parent", f"Uses its engine once, with {driver}, and starts a worker.")
    failure = error_of_session(parent, keep_pool=False)
    if failure:
        parent.tell("worker", "Drops the inherited pool; its connection is collected, and so closed.")
        parent.tell("server", "Receives Terminate on the parent's connection, and ends the session.")
    else:
        parent.tell("worker", "Treats its engine and collects garbage: no connection of the parent's.")
        parent.tell("server", "Receives no Terminate message.")
    kept = error_of_session(parent, keep_pool=True)
    parent.tell(
        "worker",
        "Another one keeps a reference to the inherited pool, and the parent's session"
        f" {f'ends all the same: {kept}' if kept else 'lives'}.",
    )
    parent.tell("user", failure or "Nothing unusual.")
    return bool(failure)


HAZARD = Hazard(
    id="driver_finalizer",
    title="A driver whose finalizer closes the connection",
    description=(
        "dispose(close=False) drops connections without closing them; what happens to a dropped connection"
        " then is up to the driver. psycopg2 and psycopg check the pid and leave alone what another process"
        " has opened. mysqlclient does not, nor does Ruby's pg: when the connection is collected in the"
        " worker, it is closed over the parent's socket, and the recommended cure ends the parent's session."
        " (There is no MySQL here: a subclass of psycopg2's connection that closes in its finalizer stands in"
        " for that driver. Server, socket and Terminate message are real. With another driver"
        " its own finalizer is tried.)"
    ),
    symptom=(
        "(2013, 'Lost connection to server during query') in the parent, some time after a worker was"
        " started: when the worker's garbage was collected."
    ),
    affected_when=(
        "The parent's session no longer answers after the worker has treated its engine and collected"
        " garbage."
    ),
    avoidance=(
        "With such a driver give all connections back and call engine.dispose() in the parent before the"
        " fork; or keep the old pool alive in the worker, in a global: inherited = engine.pool before"
        " engine.dispose(close=False); or use spawn or forkserver."
    ),
    severity=Severity.LOUD_ERROR,
    messages=(
        "(2013, 'Lost connection to server during query')",
        "(2006, 'MySQL server has gone away')",
        "server closed the connection unexpectedly",
    ),
    links=(
        "https://github.com/apache/airflow/issues/56879",
        "https://github.com/apache/airflow/pull/56044",
        "https://github.com/zoolutions/pgbus/issues/437",
    ),
    by_driver=True,
    condition=PSYCOPG,
    affected_control="fork_dispose",
    survives_control="spawn",
)

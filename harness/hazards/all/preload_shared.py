"""A module that connects when it is imported is imported before the workers are forked."""

import importlib
import multiprocessing
import os
from typing import Any

from harness.hazards.conditions import NO_CONNECT_AT_IMPORT
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Failed
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker

MODULE = "harness.hazards.fixtures.opened_at_import"

STRATEGY = "POOLSTART_HAZARD_STRATEGY"
"""Environment variable: the strategy whose pool the module makes."""

CONNECTS = "POOLSTART_HAZARD_CONNECTS"
"""Environment variable: with `no` the module does not connect when it is imported."""


def backend_of_module(worker: Worker) -> None:
    """Report the backend of the module's engine and the process that opened it, and keep the connection."""
    module: Any = importlib.import_module(MODULE)
    with worker.treat(module.ENGINE).connect() as connection:
        backend = connection.exec_driver_sql("select pg_backend_pid()").scalar()
        worker.report((backend, module.OPENED_BY))
        # It is kept until both have reported, since the server may reuse the pid of an ended backend.
        worker.wait()


def reproduce(parent: Parent) -> bool:
    os.environ[STRATEGY] = parent.name
    os.environ[CONNECTS] = "no" if parent.keeps_condition else "yes"
    engine = None
    if parent.strategy.start_method == "fork":
        engine = importlib.import_module(MODULE).ENGINE
        parent.tell("parent", "Imports a module that makes an engine and connects.")
    elif parent.strategy.start_method == "forkserver":
        multiprocessing.set_forkserver_preload([*parent.strategy.preload, MODULE])
        parent.tell("parent", "Asks the fork server to preload a module that makes an engine and connects.")
    else:
        parent.tell("parent", "Does not import the module that makes an engine and connects: its workers do.")
    backends: list[int] = []
    failure = ""
    for number in (1, 2):
        worker = parent.start(backend_of_module, engine=engine)
        try:
            backend, opened_by = worker.answer()
        except Failed as error:
            if not backends:
                raise  # the first worker shares its connection with no other yet
            failure = str(error)
            parent.tell("worker", f"Number {number} uses the module's engine, and fails.")
            break
        backends.append(backend)
        opener = "itself" if opened_by == worker.pid else "the process it was forked from"
        parent.tell(
            "worker", f"Number {number} uses the module's engine, made by {opener}: backend {backend}."
        )
    shared = bool(failure or backends[0] == backends[1])
    parent.tell(
        "server", "Sees one session for two workers." if shared else "Sees a session for each worker."
    )
    if failure:
        parent.tell("user", failure)
    elif shared:
        parent.tell("user", "Nothing, until both workers query at once; the parent is not involved.")
    else:
        parent.tell("user", "Nothing unusual.")
    return shared


HAZARD = Hazard(
    id="preload_shared",
    title="A connection opened by a preloaded module",
    description=(
        "The fork server forks every worker from itself. If it preloads a module that connects when it is"
        " imported, one open connection stays in the fork server, and every worker inherits it. The parent"
        " never had this connection, and it does not belong to the strategy's engine, so nothing done to the"
        " parent's engine reaches it. A forking parent that has imported the module has the same problem, but"
        " can treat the module's engine in the worker."
    ),
    symptom="forkserver was chosen for safety, yet workers get each other's rows or protocol errors.",
    affected_when="Two workers using the module's engine share a backend, or (over TLS) one of them fails.",
    avoidance=(
        "Do not connect at import time. Preload modules that only define functions, and create engines on"
        " first use."
    ),
    severity=Severity.WRONG_DATA,
    messages=(
        "error with status PGRES_TUPLES_OK and no message from the libpq",
        "SSL error: decryption failed or bad record mac",
    ),
    links=(
        "https://docs.python.org/3/library/multiprocessing.html#multiprocessing.set_forkserver_preload",
        "https://github.com/zulip/zulip/pull/39726",
        "https://github.com/benoitc/gunicorn/issues/2895",
    ),
    condition=NO_CONNECT_AT_IMPORT,
    affected_control="forkserver",
    survives_control="spawn",
)

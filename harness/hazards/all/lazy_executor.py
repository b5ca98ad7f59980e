"""The pool is disposed of before the executor is created, but the executor forks later."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from harness.fixes import EVERY_ENGINE
from harness.hazards.conditions import NO_QUERY_BETWEEN
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import START_DEADLINE
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.worker import plain

ENGINE: list[Engine] = []
"""The engine of a worker, after `set_up`."""


def set_up(in_worker: Callable[[Any], Engine], handed: Any) -> None:
    ENGINE[:] = [in_worker(handed)]


def nothing() -> None:
    """A task that only makes an executor start its workers."""


def backend_of() -> int:
    with ENGINE[0].connect() as connection:
        return int(connection.exec_driver_sql("select pg_backend_pid()").scalar() or 0)


def shares(parent: Parent, engine: Engine, forked_at_once: bool) -> str:
    """Query between creating an executor and its first task; return the error, empty without one."""
    engine.dispose()
    handed = parent.strategy.handed(engine, parent.url)
    parent.strategy.before_start(engine)
    with ProcessPoolExecutor(
        1,
        mp_context=multiprocessing.get_context(parent.strategy.start_method),
        initializer=set_up,
        initargs=(parent.strategy.in_worker, handed),
    ) as executor:
        if forked_at_once:
            executor.submit(nothing).result(START_DEADLINE)
        session = parent.warm(engine)
        try:
            backend = executor.submit(backend_of).result(START_DEADLINE)
        except Exception as error:
            return plain(error)
        failure = session.error()
        return failure or ("two processes have one session" if backend == session.backend else "")


def reproduce(parent: Parent) -> bool:
    engine = parent.engine()
    if parent.keeps_condition:
        # All workers are forked before the next query.
        return bool(shares(parent, engine, forked_at_once=True))
    parent.tell("parent", "Disposes of its pool, creates an executor, sends one query, and submits a task.")
    error = shares(parent, engine, forked_at_once=False)
    if error:
        parent.tell("worker", "Is forked when the first task comes, with the connection of that query.")
        parent.tell("server", f"Has a session that two processes hold: {error}.")
    else:
        parent.tell("worker", "Is started when the first task comes, and connects for itself.")
        parent.tell("server", "Has a session for each.")
    if shares(parent, engine, forked_at_once=True):
        raise RuntimeError("a worker that was forked before the query shares its connection")
    parent.tell("parent", "Does the same, but submits an empty task first: now nothing is shared.")
    parent.tell(
        "user",
        "Disposed of its pool in the right place, yet shares a connection." if error else "Nothing unusual.",
    )
    return bool(error)


HAZARD = Hazard(
    id="lazy_executor",
    title="An executor that forks later than it is created",
    description=(
        "Disposing of the pool right before the fork is a good cure, if one knows when the fork happens."
        " Creating a ProcessPoolExecutor does not fork: its workers start when the first task is submitted,"
        " and multiprocessing.Pool replaces a worker whenever it has to. Any query in between, such as the"
        " one that looks up the tasks, opens a connection again, and the workers inherit it."
    ),
    symptom="engine.dispose() stands right before ProcessPoolExecutor(...), yet connections are shared.",
    affected_when=(
        "The worker uses the parent's session, or the parent's session no longer answers, although the pool"
        " was disposed of when the executor was created."
    ),
    avoidance=(
        "Treat the pool in the worker, where it is certain to be after the fork:"
        " ProcessPoolExecutor(initializer=engine.dispose, initargs=(False,)). Or submit an empty task right"
        " after dispose(), before the next query, and let no worker be replaced. Or use spawn or forkserver."
    ),
    fixes=(EVERY_ENGINE,),
    severity=Severity.WRONG_DATA,
    messages=(
        "error with status PGRES_TUPLES_OK and no message from the libpq",
        "SSL error: decryption failed or bad record mac",
    ),
    links=(
        "https://github.com/zulip/zulip/pull/39726",
        "https://docs.python.org/3/library/concurrent.futures.html#processpoolexecutor",
    ),
    condition=NO_QUERY_BETWEEN,
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
)

"""A thread that works in the background exists in the parent only."""

import importlib.util
import logging
import threading
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue
from typing import Any

from harness.fixes import POOL_IN_WORKER, START_IN_WORKER
from harness.hazards.conditions import ONE_THREAD
from harness.hazards.hazard import Hazard, HazardFigure, Severity
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.session import attempt
from harness.hazards.inside.worker import Worker

LOG = logging.getLogger("poolstart.missing_thread")


WRITTEN = threading.Event()
"""Set when a row has been written and its connection is back in the pool: no lock of the pool is held."""


class TableHandler(logging.Handler):
    """Writes records to a table of the database."""

    def __init__(self, engine: Engine, table: str) -> None:
        super().__init__()
        self._engine = engine
        self._table = table

    def emit(self, record: logging.LogRecord) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(f"insert into {self._table} values ('{record.getMessage()}')")
        WRITTEN.set()


LISTENERS: list[QueueListener] = []
"""The running listener of this program, whose thread writes to the table; none in a spawned worker."""


def start_logging(engine: Engine, table: str) -> None:
    """Log to the table through a queue, as `logging` documents it; nothing if the program does so already."""
    if LISTENERS:
        return
    queue: SimpleQueue[Any] = SimpleQueue()
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    LOG.addHandler(QueueHandler(queue))
    LISTENERS.append(QueueListener(queue, TableHandler(engine, table)))
    LISTENERS[0].start()


def stop_logging() -> None:
    """Wait until everything has been written, and stop."""
    LISTENERS.pop().stop()
    LOG.handlers.clear()


def work(worker: Worker, table: str) -> None:
    start_logging(worker.engine(), table)
    LOG.info("worker")
    stop_logging()


POOLS: list[Any] = []
"""The pool of psycopg_pool that this program has opened; none in a spawned worker."""

POOL_USES = {
    "pool_shared": "used in the worker: the parent's session answers",
    "pool_closed": "closed in the worker: the parent's session ends",
    "pool_new": "left alone, and a new one used and closed in the worker: either happens",
}
"""The ways in which a worker uses its parent's pool of psycopg_pool, each with what goes wrong."""


def open_pool(conninfo: str) -> Any:
    """A pool with one connection."""
    psycopg_pool: Any = importlib.import_module("psycopg_pool")
    pool = psycopg_pool.ConnectionPool(
        conninfo, min_size=1, max_size=1, open=True, kwargs={"gssencmode": "disable", "autocommit": True}
    )
    pool.wait()
    return pool


def backend(pool: Any) -> int:
    """The backend that answers over a pool."""
    with pool.connection() as connection:
        return int(connection.execute("select pg_backend_pid()").fetchone()[0])


def work_with_pool(worker: Worker, use: str, conninfo: str) -> int:
    """The backend that answers over the pool of this program, as a module would keep it."""
    if not POOLS or use == "pool_new":
        POOLS[:] = [*POOLS, open_pool(conninfo)]
    found = 0 if use == "pool_closed" else backend(POOLS[-1])
    if use != "pool_shared":
        POOLS[-1].close()
    return found


def harm_to_pool(parent: Parent, use: str) -> bool:
    """Whether a worker uses or ends the session of its parent's pool."""
    POOLS[:] = [open_pool(parent.server.url)]
    own = backend(POOLS[0])
    # A thread of the pool takes the connection back.
    parent.wait_for(lambda: POOLS[0].get_stats()["pool_available"] == 1, "an idle connection in the pool")
    worker = parent.start(work_with_pool, use, parent.server.url)
    shared = bool(worker.answer() == own)
    worker.join()
    # The server gets this query after anything that the worker has sent over the parent's socket.
    ended = not answers(POOLS[0], own)
    POOLS.pop().close()
    return {"pool_shared": shared, "pool_closed": ended}.get(use, shared or ended)


def answers(pool: Any, own: int) -> bool:
    """Whether a pool's only connection still has its session."""
    return attempt(lambda: backend(pool)) == (own, "")


def reproduce(parent: Parent) -> bool:
    with parent.table("who text") as table:
        lost = row_is_lost(parent, table)
    if importlib.util.find_spec("psycopg_pool") and not parent.keeps_condition:
        for use, title in POOL_USES.items():
            harm = harm_to_pool(parent, use)
            parent.measure(use, float(harm), 1)
            said = "yes" if harm else "no"
            parent.tell("worker", f"A psycopg_pool.ConnectionPool of the parent, {title}: {said}.")
    return lost


def row_is_lost(parent: Parent, table: str) -> bool:
    engine = parent.engine()
    start_logging(engine, table)
    LOG.info("parent")
    parent.tell("parent", "Logs through a queue; a thread takes from it and writes to a table.")
    WRITTEN.wait()
    if parent.keeps_condition:
        stop_logging()  # then the worker starts a thread of its own
    worker = parent.start(work, table, engine=engine)
    worker.answer()
    worker.join()
    if not parent.keeps_condition:
        stop_logging()
    rows = parent.ask(f"select array_agg(who order by who) from {table}")
    lost = "worker" not in rows
    parent.tell(
        "worker", "Logs a message, waits until the queue has been written, and ends without an error."
    )
    parent.tell("server", f"Has the rows of: {', '.join(rows)}.")
    parent.tell("user", "No error, and a row is missing." if lost else "Nothing unusual.")
    return lost


HAZARD = Hazard(
    id="missing_thread",
    title="A thread that exists only in the parent",
    description=(
        "fork copies only the thread that calls it. Schedulers, exporters of traces and metrics, queue"
        " listeners of logging, LISTEN loops, connection pools such as psycopg_pool and multiprocessing.Pool"
        " work in a thread. In the"
        " worker their objects say that they are running, and take jobs, messages and requests, which"
        " stay in a queue that no thread reads. Most raise no error. psycopg_pool times out when its idle"
        " connections, which are the parent's, are used up. Nothing done to the engine helps. In a spawned"
        " worker the module starts a thread of its own."
    ),
    symptom=(
        "Jobs, logs or metrics of workers never arrive, without an error, although the scheduler says that"
        " it is running; with psycopg_pool: couldn't get a connection after 30.00 sec."
    ),
    affected_when="The worker's row is not in the table after the worker has waited for it to be written.",
    avoidance=(
        "Start the thread after the fork, in each process that needs it: in a pool's initializer, gunicorn's"
        " post_fork, Celery's worker_process_init, or by os.register_at_fork(after_in_child=start). Make a"
        " new psycopg_pool.ConnectionPool there too. Let one process only run a scheduler. Or use spawn or"
        " forkserver."
    ),
    fixes=(START_IN_WORKER, POOL_IN_WORKER),
    severity=Severity.SILENT_LOSS,
    messages=("couldn't get a connection after 30.00 sec",),
    links=(
        "https://github.com/viniciuschiele/flask-apscheduler/issues/87",
        "https://github.com/benoitc/gunicorn/issues/2895",
        "https://www.psycopg.org/psycopg3/docs/advanced/pool.html",
        "https://docs.python.org/3/library/logging.handlers.html#queuelistener",
    ),
    condition=ONE_THREAD,
    affected_control="fork_dispose",
    survives_control="spawn",
    follows_releases=False,
    figures=tuple(
        HazardFigure(use, f"a psycopg_pool.ConnectionPool of the parent, {title}", "fraction")
        for use, title in POOL_USES.items()
    ),
)

"""The parent program: it holds a warm engine, and creates pools one after another.

Orders and reports are lines of JSON on standard input and output. `harness.pools.checks` documents and checks
the reports.
"""

import contextlib
import json
import multiprocessing
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import sqlalchemy

from harness import strategies
from harness.pools.inside import worker
from harness.system import memory

if TYPE_CHECKING:
    from harness.pools.checks import InitializerReport, PoolParentOrder, PoolReport

ATTEMPTS = 20
"""Failed workers after which a pool that replaces them without end is terminated."""

TASKS = 6
"""Tasks of a pool that runs each in a new worker."""


def main() -> None:
    order: PoolParentOrder = json.loads(sys.stdin.readline())
    if order["do"] == "measure":
        measure(order)
    else:
        say(raising=raising(order), replacing=replacing(order))


def measure(order: "PoolParentOrder") -> None:
    strategy = strategies.get(order["strategy"])
    strategy.set_up()
    engine = strategy.create_parent_engine(order["url"])
    worker.fetch(engine, "parent")
    worker.mark = order["mark"]
    say(pid=os.getpid(), sqlalchemy=sqlalchemy.__version__)
    for line in sys.stdin:
        token = line.strip()
        say(**pool(strategy, engine, order, token))


def pool(
    strategy: strategies.Strategy, engine: sqlalchemy.engine.Engine, order: "PoolParentOrder", token: str
) -> "PoolReport":
    """Create a pool, wait until every worker has reported its row, read their memory, and close the pool."""
    context: Any = multiprocessing.get_context(strategy.start_method)
    _, backend = worker.fetch(engine, token)
    reports, theirs = context.Pipe(duplex=False)
    handed = strategy.handed(engine, order["url"])
    called = time.monotonic_ns()
    strategy.before_start(engine)
    workers_pool = context.Pool(
        order["workers"], worker.initialize, (strategy.in_worker, handed, theirs, token)
    )
    returned = time.monotonic_ns()
    processes = multiprocessing.active_children()
    workers: list[InitializerReport] = []
    while len(workers) < order["workers"]:
        if not reports.poll(order["deadline"]):
            workers_pool.terminate()
            return {"outcome": "hung", "workers": workers}
        workers.append(reports.recv())
    # All are alive, and wait for their first task.
    for report in workers:
        report["uss"] = memory.read(report["pid"])["uss"]
    workers_pool.close()
    workers_pool.join()
    while reports.poll():
        workers.append(reports.recv())
    return {
        "outcome": "done",
        "token": token,
        "called": called,
        "returned": returned,
        "workers": workers,
        "exitcodes": [process.exitcode for process in processes],
        "backend_before": backend,
        "row_after": worker.fetch(engine, token),
    }


def raising(order: "PoolParentOrder") -> dict[str, Any]:
    """Count the workers of a pool of 2 whose initializer raises, and see whether its task runs."""
    # Each worker would print the same traceback.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        os.dup2(nowhere.fileno(), 2)
        context: Any = multiprocessing.get_context(order["start_method"])
        reports, theirs = context.Pipe(duplex=False)
        failing = context.Pool(2, worker.fail, (theirs,))
        task = failing.apply_async(worker.which, (0,))
        pids: set[int] = set()
        while len(pids) < ATTEMPTS and reports.poll(order["deadline"]):
            pids.add(reports.recv())
        ran = task.ready()
        failing.terminate()
        failing.join()
    return {"workers": len(pids), "ran": ran}


def replacing(order: "PoolParentOrder") -> dict[str, Any]:
    """Count the workers that run tasks and initializer with `maxtasksperchild=1`, and the forks by thread."""
    context: Any = multiprocessing.get_context(order["start_method"])
    forked_by: list[str] = []
    os.register_at_fork(before=lambda: forked_by.append(threading.current_thread().name))
    reports, theirs = context.Pipe(duplex=False)
    with context.Pool(2, worker.announce, (theirs,), maxtasksperchild=1) as replacing_pool:
        ran = replacing_pool.map(worker.which, range(TASKS), chunksize=1)
        initialized: set[int] = set()
        while not set(ran) <= initialized and reports.poll(order["deadline"]):
            initialized.add(reports.recv())
    by_main = forked_by.count(threading.main_thread().name)
    return {
        "tasks": TASKS,
        "workers": len(set(ran)),
        "initialized": len(set(ran) & initialized),
        "forked_by_main": by_main,
        "forked_by_others": len(forked_by) - by_main,
    }


def say(**report: Any) -> None:
    print(json.dumps(report), flush=True)

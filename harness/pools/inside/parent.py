"""What the parent program does: hold a warm engine, and make pools one after another.

Orders and reports are lines of JSON, on standard input and output. It only reports; `harness.pools.measure`
judges.
"""

import contextlib
import json
import multiprocessing
import os
import sys
import threading
import time
from typing import Any

import sqlalchemy

from harness import strategies
from harness.pools.inside import worker
from harness.system import memory

ATTEMPTS = 20
"""Workers after whose failure a pool that replaces them for ever is ended."""

TASKS = 6
"""Tasks of a pool that makes a new worker for each."""


def main() -> None:
    order = json.loads(sys.stdin.readline())
    if order["do"] == "measure":
        measure(order)
    else:
        say(raising=raising(order), replacing=replacing(order))


def measure(order: dict[str, Any]) -> None:
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
    strategy: strategies.Strategy, engine: sqlalchemy.engine.Engine, order: dict[str, Any], token: str
) -> dict[str, Any]:
    """Make one pool, let all its workers have their row, read their memory, and close it."""
    context: Any = multiprocessing.get_context(strategy.start_method)
    _, backend = worker.fetch(engine, token)
    reports, theirs = context.Pipe(duplex=False)
    handed = strategy.handed(engine, order["url"])
    called = time.monotonic_ns()
    strategy.before_start(engine)
    made = context.Pool(order["workers"], worker.initialize, (strategy.in_worker, handed, theirs, token))
    returned = time.monotonic_ns()
    processes = multiprocessing.active_children()
    workers: list[dict[str, Any]] = []
    while len(workers) < order["workers"]:
        if not reports.poll(order["deadline"]):
            made.terminate()
            return {"outcome": "hung", "workers": workers}
        workers.append(reports.recv())
    # All are alive now, waiting for tasks that do not come.
    for seen in workers:
        seen["uss"] = memory.read(seen["pid"])["uss"]
    made.close()
    made.join()
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


def raising(order: dict[str, Any]) -> dict[str, Any]:
    """A pool of 2 whose initializer raises: how many workers it makes, and whether its task is ever run."""
    # What each worker prints of its failure is not news.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        os.dup2(nowhere.fileno(), 2)
        context: Any = multiprocessing.get_context(order["start_method"])
        reports, theirs = context.Pipe(duplex=False)
        made = context.Pool(2, worker.fail, (theirs,))
        task = made.apply_async(worker.which, (0,))
        pids: set[int] = set()
        while len(pids) < ATTEMPTS and reports.poll(order["deadline"]):
            pids.add(reports.recv())
        ran = task.ready()
        made.terminate()
        made.join()
    return {"workers": len(pids), "ran": ran}


def replacing(order: dict[str, Any]) -> dict[str, Any]:
    """A pool of 2 with `maxtasksperchild=1`: who ran tasks and initializer, and which thread made them."""
    context: Any = multiprocessing.get_context(order["start_method"])
    forked_by: list[str] = []
    os.register_at_fork(before=lambda: forked_by.append(threading.current_thread().name))
    reports, theirs = context.Pipe(duplex=False)
    with context.Pool(2, worker.announce, (theirs,), maxtasksperchild=1) as made:
        ran = made.map(worker.which, range(TASKS), chunksize=1)
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

"""The parent of counted workers: as that of measured ones, but nothing is timed.

It reads an order and then the names of lives, a line each, and reports each life in a line of JSON.
"""

import gc
import json
import multiprocessing
import os
import platform
import sys
from typing import Any

import psycopg2
import sqlalchemy
from sqlalchemy.engine import Engine

from harness import strategies
from harness.counts.inside import bare
from harness.counts.inside import worker as counted
from harness.lifecycles.inside import worker
from harness.lifecycles.inside.parent import c_extensions, say


def main() -> None:
    order = json.loads(sys.stdin.readline())
    strategy = strategies.get(order["strategy"])
    strategy.set_up()
    engine = strategy.create_parent_engine(order["url"])
    worker.fetch(engine, "parent")
    worker.mark = order["mark"]
    gc.collect()
    say(
        pid=os.getpid(),
        python=sys.version,
        build=" ".join(platform.python_build()),
        sqlalchemy=sqlalchemy.__version__,
        c_extensions=c_extensions(),
        psycopg2=psycopg2.__version__.split()[0],
    )
    for line in sys.stdin:
        say(**run(prepared(line.strip(), strategy, engine, order["url"]), order["deadline"]))


def prepared(life: str, strategy: strategies.Strategy, engine: Engine, url: str) -> strategies.Prepared:
    """The worker of a life: `bare`, `plain`, `calls`, `measured`, `imports` or `memory`."""
    if life == "bare":
        context: Any = multiprocessing.get_context(strategy.start_method)
        ours, theirs = context.Pipe()
        return strategies.Prepared(
            context.Process(target=bare.work, args=(theirs,)), ours, theirs, 0, lambda: None
        )
    if life == "measured":
        # The very function whose phases are timed elsewhere.
        return strategy.prepare(worker.work, engine, url, life, False)
    if life == "imports":
        from harness.counts.inside import imports

        return strategy.prepare(imports.work, engine, url, life)
    if life == "memory":
        # Allocations are traced from this import on: nobody else may have it.
        from harness.counts.inside import memory

        return strategy.prepare(memory.work, engine, url, life)
    lives = {"plain": counted.work, "calls": counted.work_counting_calls}
    return strategy.prepare(lives[life], engine, url, life)


def run(worker_to_be: strategies.Prepared, deadline: float) -> dict[str, Any]:
    """One worker, and what it told; the collections that a forked one inherits are told too."""
    gc.collect(1)
    inherited = worker.collections()
    process, ours = worker_to_be.process, worker_to_be.ours
    worker_to_be.treat()
    process.start()
    worker_to_be.theirs.close()
    try:
        if not ours.poll(deadline):
            return {"outcome": "hung"}
        told: dict[str, Any] = ours.recv()
        ours.send(None)
        process.join(deadline)
    except (EOFError, ConnectionError):
        process.join(deadline)
        return {"outcome": "failed"}
    finally:
        if process.is_alive():
            process.kill()
            process.join(deadline)
        ours.close()
    return {**told, "outcome": "done", "inherited": inherited, "exitcode": process.exitcode}

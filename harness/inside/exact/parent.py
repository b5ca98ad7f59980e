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

from harness import strategies
from harness.inside.exact import bare
from harness.inside.exact import worker as counted
from harness.inside.lifecycle import worker
from harness.inside.lifecycle.parent import c_extensions, say

LIVES = {"plain": counted.work, "calls": counted.work_counting_calls}

BARE = "bare"


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
        life = line.strip()
        if life == BARE:
            context: Any = multiprocessing.get_context(strategy.start_method)
            ours, theirs = context.Pipe()
            process = context.Process(target=bare.work, args=(theirs,))
            prepared = strategies.Prepared(process, ours, theirs, 0, lambda: None)
        else:
            prepared = strategy.prepare(LIVES[life], engine, order["url"], life)
        say(**run(prepared, order["deadline"]))


def run(prepared: strategies.Prepared, deadline: float) -> dict[str, Any]:
    """One worker, and what it told; the collections that a forked one inherits are told too."""
    gc.collect(1)
    inherited = worker.collections()
    process, ours = prepared.process, prepared.ours
    prepared.treat()
    process.start()
    prepared.theirs.close()
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

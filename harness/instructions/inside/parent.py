"""The parent: it starts one worker as usual and one under callgrind, and reports each in a line of JSON."""

import json
import multiprocessing.spawn
import os
import sys
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

import psycopg2
import sqlalchemy
from sqlalchemy.engine import Engine

from harness import strategies
from harness.instructions.inside import worker as counted
from harness.lifecycles.inside import worker
from harness.lifecycles.inside.parent import c_extensions, say, uncompiled

if TYPE_CHECKING:
    from harness.instructions.messages import CountOrder


def main() -> None:
    order: CountOrder = json.loads(sys.stdin.readline())
    strategy = strategies.get(order["strategy"])
    engine = strategy.create_parent_engine(order["url"])
    worker.fetch(engine, "parent")
    # As usual first: what its imports compile is on disk from then on. The tracker is started by the same
    # executable as workers, so it has to run before that becomes callgrind.
    resource_tracker.ensure_running()
    usual = run(strategy, engine, order)
    say(
        python=sys.version,
        sqlalchemy=sqlalchemy.__version__,
        c_extensions=c_extensions(),
        psycopg2=psycopg2.__version__.split()[0],
        uncompiled=uncompiled(),
        **usual,
    )
    multiprocessing.spawn.set_executable(order["callgrind"])
    before = bytecode()
    counted_report = run(strategy, engine, order)
    after = bytecode()
    say(**counted_report, recompiled=sum(after.get(file) != written for file, written in before.items()))


def bytecode() -> dict[str, int]:
    """The files with the bytecode of the imported modules, and when each was written, in nanoseconds."""
    files = {str(getattr(module, "__cached__", None)) for module in list(sys.modules.values())}
    return {file: os.stat(file).st_mtime_ns for file in files if os.path.exists(file)}


def run(strategy: strategies.Strategy, engine: Engine, order: "CountOrder") -> dict[str, Any]:
    """Run one worker; its report with `outcome` (`done`, `failed` or `hung`) and `exitcode`."""
    prepared = strategy.prepare(counted.work, engine, order["url"], order["token"])
    process, ours = prepared.process, prepared.ours
    process.start()
    prepared.theirs.close()
    try:
        if not ours.poll(order["deadline"]):
            return {"outcome": "hung", "exitcode": None}
        report: dict[str, Any] = ours.recv()
        process.join(order["deadline"])
    except (EOFError, ConnectionError):
        process.join(order["deadline"])
        return {"outcome": "failed", "exitcode": process.exitcode}
    finally:
        if process.is_alive():
            process.kill()
            process.join()
        ours.close()
    return {**report, "outcome": "done", "exitcode": process.exitcode}

"""The parent of probes: like the parent of measured workers, but nothing is timed.

It reads an order and then the names of probes, a line each, and writes the report of each probe as a line of
JSON.
"""

import gc
import json
import multiprocessing
import os
import platform
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy.engine import Engine

from harness import drivers, strategies
from harness.counts.inside import bare
from harness.counts.inside import worker as probes
from harness.lifecycles.inside import worker
from harness.lifecycles.inside.parent import c_extensions, driver_facts, say, work_of

if TYPE_CHECKING:
    from harness.counts.messages import ProbeReport, ProbesOrder


def main() -> None:
    order: ProbesOrder = json.loads(sys.stdin.readline())
    strategy = strategies.get(order["strategy"]).with_driver(drivers.get(order["driver"]))
    strategy.set_up()
    engine = strategy.create_parent_engine(order["url"])
    fetch, measured = work_of(strategy)
    fetch(engine, "parent")
    worker.mark = order["mark"]
    gc.collect()
    say(
        pid=os.getpid(),
        python=sys.version,
        build=" ".join(platform.python_build()),
        sqlalchemy=sqlalchemy.__version__,
        c_extensions=c_extensions(),
        driver=driver_facts(strategy.driver),
    )
    for line in sys.stdin:
        prepared = prepare(line.strip(), strategy, engine, order["url"], measured)
        say(**run(prepared, order["deadline"]))


def prepare(
    probe: str, strategy: strategies.Strategy, engine: Engine, url: str, measured: Callable[..., None]
) -> strategies.Prepared:
    """The worker of a probe: `bare`, `plain`, `calls`, `measured`, `imports` or `memory`.

    `measured` is the function whose phases are timed elsewhere. There are no `imports` and `memory` of
    asynchronous drivers.
    """
    if probe == "bare":
        context: Any = multiprocessing.get_context(strategy.start_method)
        ours, theirs = context.Pipe()
        return strategies.Prepared(
            context.Process(target=bare.work, args=(theirs,)), ours, theirs, 0, lambda: None
        )
    if probe == "measured":
        return strategy.prepare(measured, engine, url, probe, False)
    if probe == "imports":
        from harness.counts.inside import imports

        return strategy.prepare(imports.work, engine, url, probe)
    if probe == "memory":
        # Allocations are traced from this import on, so other probes must not import it.
        from harness.counts.inside import memory

        return strategy.prepare(memory.work, engine, url, probe)
    if strategy.driver.asynchronous:
        from harness.counts.inside import async_worker

        of_loop = {"plain": async_worker.work, "calls": async_worker.work_counting_calls}
        return strategy.prepare(of_loop[probe], engine, url, probe)
    functions = {"plain": probes.work, "calls": probes.work_counting_calls}
    return strategy.prepare(functions[probe], engine, url, probe)


def run(prepared: strategies.Prepared, deadline: float) -> "ProbeReport":
    """Run one probe, and return its report with the collections that a forked worker inherits.

    `deadline` is in seconds; the outcome is `done`, `failed` or `hung`.
    """
    gc.collect(1)
    inherited = worker.collections()
    process, ours = prepared.process, prepared.ours
    prepared.treat()
    process.start()
    prepared.theirs.close()
    try:
        if not ours.poll(deadline):
            return {"outcome": "hung"}
        report: ProbeReport = ours.recv()
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
    return {**report, "outcome": "done", "inherited": inherited, "exitcode": process.exitcode}

"""The parent program: it holds an engine, in half of the cells a DataFrame, and starts workers one by one.

It talks to its handle (`harness.lifecycles.parent_handle`) in lines of JSON: a request on standard input, a
report on standard output. It exits when its input ends. It only reports; `harness.lifecycles.checks` decides
what counts.
"""

import gc
import json
import multiprocessing
import operator
import os
import platform
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy.engine import Engine

from harness import drivers, strategies
from harness.lifecycles.inside import worker
from harness.system import memory

if TYPE_CHECKING:
    from harness.lifecycles.messages import LifecycleReport, ParentOrder, WorkerOrder

SCATTERED = "harness.scattered"
SETTLED = "harness.lifecycles.inside.settled"

frame: Any = None
"""The DataFrame, held as a program would hold it."""


def main() -> None:
    order: ParentOrder = json.loads(sys.stdin.readline())
    strategy = strategies.get(order["strategy"]).with_driver(drivers.get(order["driver"]))
    strategy.set_up()
    if order["of_pair"] and strategy.preload:
        multiprocessing.set_forkserver_preload([SCATTERED, *strategy.preload, SETTLED])
    if order["dataframe_mib"]:
        from harness.lifecycles.inside.frame import build

        global frame
        before = memory.read()["uss"]
        frame = build(order["dataframe_mib"])
        resident = memory.read()["uss"] - before
    else:
        resident = 0
    engine = strategy.create_parent_engine(order["url"])
    # Warm: the pool holds one connection, and the dialect has done its queries of a first connection.
    fetch, work = work_of(strategy)
    _, backend = fetch(engine, "parent")
    worker.mark = order["mark"]
    if order["of_pair"]:
        from harness import scattered

        scattered.stop()
    gc.collect()
    if order["cpu"] is not None:
        # Only from here on: booting may use all processors.
        os.sched_setaffinity(0, {order["cpu"]})
    say(
        pid=os.getpid(),
        backend=backend,
        frame_resident=resident,
        python=sys.version,
        build=" ".join(platform.python_build()),
        sqlalchemy=sqlalchemy.__version__,
        c_extensions=c_extensions(),
        dialect=engine.driver,
        driver=driver_facts(strategy.driver),
        uncompiled=uncompiled(),
    )
    for line in sys.stdin:
        wanted: WorkerOrder = json.loads(line)
        seen = lifecycle(strategy, engine, work, order["url"], order["deadline"], **wanted)
        seen["backend_before"] = backend
        # Not right before the start: the kernel walks the page tables that a fork copies, and the next fork,
        # which finds them in the processor's cache, takes a tenth less.
        seen["parent_uss"] = memory.read()["uss"]
        if seen["outcome"] == "done" and strategy.pooled:
            try:
                seen["row_after"] = fetch(engine, wanted["token"])
            except sqlalchemy.exc.OperationalError:
                if strategy.parent_connection is not strategies.ParentConnection.KILLED:
                    raise
                # The session is gone, as its user would find. SQLAlchemy has emptied the pool and reconnects.
                seen["killed"] = True
                seen["row_after"] = fetch(engine, wanted["token"])
            _, backend = seen["row_after"]
        say(**seen)


def lifecycle(
    strategy: strategies.Strategy,
    engine: Engine,
    work: Callable[..., None],
    url: str,
    deadline: float,
    *,
    token: str,
    collect: bool,
) -> "LifecycleReport":
    """Start one worker, wait until it has exited, and return its timestamps, or how it failed."""
    # The parent does not use its engine right before: caches that a query has warmed, or a connection that
    # was just made and closed, make the worker's query an eighth faster.
    prepared = strategy.prepare(work, engine, url, token, collect)
    process, ours = prepared.process, prepared.ours
    seen: LifecycleReport = {
        "token": token,
        "pickled": prepared.pickled,
    }
    # A forked worker inherits the collector's counters: without this, a collection would fall into the
    # workers of one release and not of the next. The oldest generation was collected once, when everything
    # was there: visiting every object again would write to every page, and double the cost of the next fork.
    gc.collect(1)
    seen["collections"] = worker.collections()
    seen["cpu_called"] = time.thread_time_ns()
    seen["called"] = time.monotonic_ns()
    prepared.treat()
    process.start()
    seen["returned"] = time.monotonic_ns()
    seen["cpu_returned"] = time.thread_time_ns()
    prepared.theirs.close()
    try:
        if not ours.poll(deadline):
            return {**seen, "outcome": "hung"}
        seen["worker"] = ours.recv()
        seen["released"] = time.monotonic_ns()
        ours.send(None)
        process.join(deadline)
        seen["reaped"] = time.monotonic_ns()
        if process.exitcode is None:
            return {**seen, "outcome": "hung"}
        seen["exitcode"] = process.exitcode
    except (EOFError, ConnectionError):
        process.join(deadline)
        return {**seen, "outcome": "failed", "exitcode": process.exitcode}
    finally:
        if process.is_alive():
            process.kill()
            process.join(deadline)
        ours.close()
    return {**seen, "outcome": "done"}


def work_of(
    strategy: strategies.Strategy,
) -> tuple[Callable[[Engine, str], tuple[str, int]], Callable[..., None]]:
    """What fetches a row in the parent, and the function of its workers."""
    if not strategy.driver.asynchronous:
        return worker.fetch, worker.work
    import asyncio

    from harness.lifecycles.inside import async_worker

    # One loop for all queries, which does not run while a worker is started.
    runner = asyncio.Runner()

    def fetch(engine: Any, token: str) -> tuple[str, int]:
        return runner.run(async_worker.fetch(engine, token))

    return fetch, async_worker.work


def driver_facts(driver: drivers.Driver) -> dict[str, Any]:
    """The versions of the driver and its libpq, and its implementation if it has several."""
    module: Any = sys.modules[driver.module]
    facts: dict[str, Any] = {driver.module: str(module.__version__).split()[0]}
    if driver.libpq:
        facts["libpq"] = operator.attrgetter(driver.libpq)(module)()
    if driver.implementation:
        facts["implementation"] = module.pq.__impl__
    return facts


def c_extensions() -> bool:
    """Whether SQLAlchemy's C extensions are loaded."""
    return any(
        name.startswith("sqlalchemy.") and str(getattr(module, "__file__", "")).endswith(".so")
        for name, module in sys.modules.items()
    )


def uncompiled() -> int:
    """The number of imported modules without bytecode on disk: every worker would compile them again."""
    return sum(
        1
        for module in list(sys.modules.values())
        if str(getattr(module, "__file__", "")).endswith(".py")
        and (cached := getattr(module, "__cached__", None))
        and not os.path.exists(cached)
    )


def say(**report: Any) -> None:
    print(json.dumps(report), flush=True)

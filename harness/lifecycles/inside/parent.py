"""What the parent program does: hold an engine and, or not, a DataFrame; start workers one by one.

It speaks with its supervisor (`harness.lifecycles.parent_handle`) in lines of JSON: an order on standard
input, one report line back. It ends when its input ends. It only reports; `harness.lifecycles.checks`
judges.
"""

import gc
import json
import os
import platform
import sys
import time
from typing import Any

import psycopg2
import sqlalchemy
from sqlalchemy.engine import Engine

from harness import strategies
from harness.lifecycles.inside import worker
from harness.system import memory

frame: Any = None
"""The resident DataFrame; a module's attribute, as a program would hold it."""


def main() -> None:
    order = json.loads(sys.stdin.readline())
    strategy = strategies.get(order["strategy"])
    strategy.set_up()
    if order["dataframe_mib"]:
        from harness.lifecycles.inside.frame import build

        global frame
        before = memory.read()["uss"]
        frame = build(order["dataframe_mib"])
        resident = memory.read()["uss"] - before
    else:
        resident = 0
    engine = strategy.create_parent_engine(order["url"])
    # Warm: the pool holds one connection, and the dialect has asked the server all it wants to know.
    _, backend = worker.fetch(engine, "parent")
    worker.mark = order["mark"]
    gc.collect()
    if order["cpu"] is not None:
        # From here on: booting was free to use any.
        os.sched_setaffinity(0, {order["cpu"]})
    say(
        pid=os.getpid(),
        backend=backend,
        frame_resident=resident,
        python=sys.version,
        build=" ".join(platform.python_build()),
        sqlalchemy=sqlalchemy.__version__,
        c_extensions=c_extensions(),
        psycopg2=psycopg2.__version__.split()[0],
        libpq=psycopg2.extensions.libpq_version(),
        uncompiled=uncompiled(),
    )
    for line in sys.stdin:
        said = json.loads(line)
        seen = lifecycle(strategy, engine, order["url"], order["deadline"], **said)
        seen["backend_before"] = backend
        if seen["outcome"] == "done" and strategy.pooled:
            try:
                seen["row_after"] = worker.fetch(engine, said["token"])
            except sqlalchemy.exc.OperationalError:
                if strategy.parent_connection is not strategies.ParentConnection.KILLED:
                    raise
                # Found out, as its user would. SQLAlchemy has emptied the pool, and connects again.
                seen["killed"] = True
                seen["row_after"] = worker.fetch(engine, said["token"])
            _, backend = seen["row_after"]
        say(**seen)


def lifecycle(
    strategy: strategies.Strategy, engine: Engine, url: str, deadline: float, *, token: str, collect: bool
) -> dict[str, Any]:
    """Start one worker, let it live, and tell what was seen, its failures included."""
    # The parent asks its own engine for nothing right before: caches that are warm from a query, or a
    # connection that was just made and closed, make the worker's an eighth faster than it is without.
    prepared = strategy.prepare(worker.work, engine, url, token, collect)
    process, ours = prepared.process, prepared.ours
    seen: dict[str, Any] = {
        "token": token,
        "parent_uss": memory.read()["uss"],
        "pickled": prepared.pickled,
    }
    # A forked worker inherits the collector's counters: from wherever they stood, a collection would fall
    # into the workers of one release and not of the next. The old generation was emptied once, when all was
    # there: to look at every object again would write to every page, and make the next fork twice as dear.
    gc.collect(1)
    seen["collections"] = worker.collections()
    seen["called"] = time.monotonic_ns()
    prepared.treat()
    process.start()
    seen["returned"] = time.monotonic_ns()
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


def c_extensions() -> bool:
    """Whether SQLAlchemy runs compiled; without, it is another program."""
    return any(
        name.startswith("sqlalchemy.") and str(getattr(module, "__file__", "")).endswith(".so")
        for name, module in sys.modules.items()
    )


def uncompiled() -> int:
    """How many imported modules have no bytecode on disk: their workers would compile them, each time."""
    return sum(
        1
        for module in list(sys.modules.values())
        if str(getattr(module, "__file__", "")).endswith(".py")
        and (cached := getattr(module, "__cached__", None))
        and not os.path.exists(cached)
    )


def say(**report: Any) -> None:
    print(json.dumps(report), flush=True)

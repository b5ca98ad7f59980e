"""What the parent program does: hold an engine and, or not, a DataFrame; start workers one by one.

It speaks with its supervisor (`harness.outside.supervisor`) in lines of JSON: an order on standard
input, one report line back. It ends when its input ends. It only reports; `harness.outside.guards`
judges.
"""

import json
import os
import sys
import time
from typing import Any

import sqlalchemy
from sqlalchemy.engine import Engine

from harness import strategies
from harness.inside.lifecycle import worker
from harness.system import memory

frame: Any = None
"""The resident DataFrame; a module's attribute, as a program would hold it."""


def main() -> None:
    order = json.loads(sys.stdin.readline())
    strategy = strategies.get(order["strategy"])
    if order["dataframe_mib"]:
        from harness.inside.lifecycle.frame import build

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
    say(
        pid=os.getpid(),
        backend=backend,
        frame_resident=resident,
        python=sys.version.split()[0],
        sqlalchemy=sqlalchemy.__version__,
        c_extensions=c_extensions(),
    )
    for line in sys.stdin:
        token = line.strip()
        say(**lifecycle(strategy, engine, order["url"], token, order["deadline"]))


def lifecycle(
    strategy: strategies.Strategy, engine: Engine, url: str, token: str, deadline: float
) -> dict[str, Any]:
    """Start one worker, let it live, and tell what was seen, its failures included."""
    _, backend = worker.fetch(engine, "parent")
    prepared = strategy.prepare(worker.work, engine, url, token)
    process, ours = prepared.process, prepared.ours
    seen: dict[str, Any] = {
        "token": token,
        "backend_before": backend,
        "parent_uss": memory.read()["uss"],
        "pickled": prepared.pickled,
    }
    seen["called"] = time.monotonic_ns()
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
    seen["row_after"] = worker.fetch(engine, token)
    return {**seen, "outcome": "done"}


def c_extensions() -> bool:
    """Whether SQLAlchemy runs compiled; without, it is another program."""
    return any(
        name.startswith("sqlalchemy.") and str(getattr(module, "__file__", "")).endswith(".so")
        for name, module in sys.modules.items()
    )


def say(**report: Any) -> None:
    print(json.dumps(report), flush=True)

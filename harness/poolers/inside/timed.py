"""The program of timed workers: ``python -m harness.poolers.inside.timed``.

A parent holds an engine for each route to the server, and forks workers one after another, each with the
engine of the route that its handle orders: routes are compared within one process, milliseconds apart. It
reads an order (driver, strategy, URL and arguments of create_engine by route, processor, deadline), then
route and token of each worker, and answers with its process id, then with a `LifecycleReport` for each.
"""

import gc
import json
import os
import sys
from typing import Any

from harness import drivers, strategies
from harness.lifecycles.inside import worker
from harness.lifecycles.inside.parent import lifecycle, say, work_of
from harness.poolers.inside.world import engine_arguments


def main() -> None:
    order = json.loads(sys.stdin.readline())
    strategy = strategies.get(order["strategy"]).with_driver(drivers.get(order["driver"]))
    fetch, work = work_of(strategy)
    engines: dict[str, Any] = {}
    for name, (url, arguments) in order["routes"].items():
        engines[name] = strategy.create_parent_engine(url, **engine_arguments([arguments]))
        fetch(engines[name], "parent")
    worker.mark = "forked"
    gc.collect()
    if order["cpu"] is not None:
        os.sched_setaffinity(0, {order["cpu"]})
    say(pid=os.getpid())
    for line in sys.stdin:
        name, token = json.loads(line)
        url, _ = order["routes"][name]
        say(**lifecycle(strategy, engines[name], work, url, order["deadline"], token=token, collect=False))


if __name__ == "__main__":
    main()

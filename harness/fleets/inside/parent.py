"""The parent program: it holds a warm engine and optionally data, and starts workers together.

It reads an order, then a line for each fleet, all of it JSON, and reports in lines of JSON.
`harness.fleets.checks` documents and checks the reports.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Engine

from harness import drivers, strategies
from harness.fleets.inside import data, worker
from harness.fleets.inside.starters import STARTERS
from harness.processes import proc
from harness.system import memory

if TYPE_CHECKING:
    from harness.fleets.checks import FleetLine, FleetOrder, FleetReport, TreeMemory

HERTZ = os.sysconf("SC_CLK_TCK")


def main() -> None:
    order: FleetOrder = json.loads(sys.stdin.readline())
    strategy = strategies.get(order["strategy"]).with_driver(drivers.get(order["driver"]))
    strategy.set_up()
    if order["options"] and not strategy.inherits:
        strategy = replace(strategy, in_worker=partial(worker.create_with, options=order["options"]))
    write = None
    if order["data"]:
        worker.frame = data.build(order["data"], order["mib"])
        if order["write"]:
            # Before any fork: no page is shared.
            write = data.write(worker.frame)
    engine = strategy.create_parent_engine(order["url"], **order["options"])
    fetch: Callable[[Any, str], tuple[str, int]] = worker.fetch
    if strategy.driver.asynchronous:
        import asyncio

        from harness.fleets.inside import async_worker

        # One loop for all queries, which does not run while workers are started.
        fetch = async_worker.fetcher(asyncio.Runner())
    fetch(engine, "parent")
    worker.mark = order["mark"]
    gc.collect()
    say(pid=os.getpid(), huge=data.huge_pages(), rss=memory.read()["rss"], write=write)
    for line in sys.stdin:
        say(**fleet(strategy, engine, fetch, order, json.loads(line)))


def fleet(
    strategy: strategies.Strategy,
    engine: Engine,
    fetch: Callable[[Engine, str], tuple[str, int]],
    order: "FleetOrder",
    line: "FleetLine",
) -> "FleetReport":
    """Start the workers together and run all phases, until a worker hangs or fails."""
    gc.collect(1)
    token = line["token"]
    team = STARTERS[order["starter"]](strategy, engine, order["url"], token, line["workers"])
    tree_before, server_before = cpu_seconds(), server_seconds(order["postmaster"])
    report: FleetReport = {"outcome": "hung", "token": token, "called": 0, "memory": {}, "answers": []}
    report["called"] = time.monotonic_ns()
    team.start()
    report["returned"] = time.monotonic_ns()
    try:
        report["workers"] = answers(team.channels, order["deadline"])
        report["cpu"] = cpu_seconds() - tree_before
        if server_before is not None and (after := server_seconds(order["postmaster"])) is not None:
            report["server_cpu"] = after - server_before
        report["memory"]["first_row"] = tree_memory()
        for step in line["steps"]:
            if step == "write":
                report["write"] = data.write(worker.frame)
                continue
            for channel in team.channels:
                channel.send(step)
            answered = answers(team.channels, order["deadline"])
            if isinstance(step, str):
                report["memory"][step] = tree_memory()
            else:
                report["answers"].append(answered)
        for channel in team.channels:
            channel.send(None)
        team.join(order["deadline"])
        report["ended"] = time.monotonic_ns()
        report["outcome"] = "done"
    except TimeoutError:
        pass
    except (EOFError, ConnectionError):
        report["outcome"] = "failed"
    finally:
        team.kill()
    report["exitcodes"] = [process.exitcode for process in team.processes]
    report["row_after"] = fetch(engine, token)
    return report


def answers(channels: Iterable["Connection[Any, Any]"], deadline: float) -> list[Any]:
    """One message of each worker. Raises TimeoutError if there is none for `deadline` seconds."""
    received, waiting = [], set(channels)
    while waiting:
        ready = wait(list(waiting), deadline)
        if not ready:
            raise TimeoutError
        for channel in ready:
            assert isinstance(channel, Connection)
            received.append(channel.recv())
            waiting.discard(channel)
    return received


def tree() -> list[proc.ProcStat]:
    """This process with all that it has started: workers, fork server, resource tracker."""
    return [process for process in proc.session_processes(os.getsid(0)) if process.running]


def cpu_seconds() -> float:
    """Processor time of all running processes of the tree."""
    return sum(proc.cpu_seconds(process.pid) for process in tree())


def server_seconds(postmaster: int) -> float | None:
    """Processor time of the server: its main process, those that run, and, to 20 ms, those that ended.

    None if it is on another machine, and has the pid 0.
    """
    if not postmaster:
        return None
    stats = map(proc.stat, filter(str.isdigit, os.listdir("/proc")))
    running = sum(proc.cpu_seconds(each.pid) for each in stats if each and each.ppid == postmaster)
    fields = Path("/proc", str(postmaster), "stat").read_text().rpartition(")")[2].split()
    return proc.cpu_seconds(postmaster) + running + sum(map(int, fields[13:15])) / HERTZ


def tree_memory() -> "TreeMemory":
    """Bytes of the whole tree: proportional memory, in which shared pages count once, and page tables."""
    parts = [memory.read(process.pid) for process in tree()]
    return {name: sum(part[name] for part in parts) for name in ("pss", "page_tables")}  # type: ignore[return-value]


def say(**report: Any) -> None:
    print(json.dumps(report), flush=True)

"""Measures workers over each route: the same parent forks them in turns, so that only ratios decide."""

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import product
from math import exp, log
from pathlib import Path
from statistics import median
from typing import Any

from harness.comparisons.pairs import hodges_lehmann
from harness.drivers import Driver
from harness.lifecycles.messages import LifecycleReport
from harness.poolers import things, tries
from harness.poolers.figures import RouteFigures
from harness.poolers.tries import routed
from harness.postgres.relay import STATEMENT, Relay
from harness.postgres.server import Server
from harness.processes.dialogue import Dialogue
from harness.processes.errors import ChecksFailed
from harness.processes.supervision import Supervision
from harness.records.session import Parts
from harness.system import processors

PROGRAM = "harness.poolers.inside.timed"

STRATEGY = {"QueuePool": "fork_dispose", "NullPool": "nullpool"}
"""What is measured with a pool: in both, the worker opens a connection of its own."""

PARENTS = 8
"""Samples."""

WORKERS = 12
"""Workers of a parent over each route."""

CLIENTS = 8
"""Workers of which sessions are counted; as in `harness.poolers.inside.trials`."""

DEADLINE = 30.0
"""Seconds for a worker."""

NAMES = ("first_row", "next_row", "first_ratio", "next_ratio")


def measure_times(
    pythons: Mapping[Driver, Path],
    server: Server,
    parents: int,
    parts: Parts,
    report: Callable[[str], None],
) -> list[RouteFigures]:
    """The figures of every driver, pool and route, less the parents that are among `parts`.

    Parents of all drivers and pools take turns. Raises `Rejected` if one hangs, fails or does not pass its
    checks, and `PoolstartError` without a PgBouncer.
    """
    cells = list(product(pythons, things.POOLS))
    with ExitStack() as stack:
        routes = {route: stack.enter_context(routed(server, route)) for route in things.ROUTES}
        for parent, (driver, pool) in product(range(parents), cells):
            if (key := f"{parent} {driver.name} {pool}") not in parts.parts:
                report(f"parent {parent + 1} of {parents}, {driver.name}, {pool}")
                parts.add(key, samples(timed(pythons[driver], driver, pool, routes)))
    rows = []
    for driver, pool in cells:
        if (key := f"counts {driver.name} {pool}") not in parts.parts:
            report(f"round trips and sessions, {driver.name}, {pool}")
            parts.add(key, counted(pythons[driver], driver, pool, server))
        kept = [parts.parts[f"{parent} {driver.name} {pool}"] for parent in range(parents)]
        for route in things.ROUTES:
            figures = {name: tuple(sample[route][name] for sample in kept) for name in NAMES}
            counts = {name: tuple(value) for name, value in parts.parts[key][route].items()}
            rows.append(RouteFigures(driver.name, pool, route, **figures, **counts))
    return rows


def timed(
    python: Path, driver: Driver, pool: str, routes: Mapping[str, Server], workers: int = WORKERS
) -> list[dict[str, LifecycleReport]]:
    """Fork workers over all routes, in random order; a report by route, for each turn."""
    what = f"{driver.name}, {pool}"
    with (
        Supervision() as supervision,
        Dialogue(supervision, [python, "-m", PROGRAM], what) as program,
        processors.off_measured_cpu(),
    ):
        order = {
            "driver": driver.name,
            "strategy": STRATEGY[pool],
            "routes": {
                name: (server.sqlalchemy_url("poolstart-timed", driver), things.common(driver, name))
                for name, server in routes.items()
            },
            "cpu": processors.MEASURED,
            "deadline": DEADLINE,
        }
        pid = program.ask(order, tries.DEADLINE)["pid"]
        turns = []
        for _ in range(workers):
            turn: dict[str, LifecycleReport] = {}
            for name in random.sample(list(routes), len(routes)):
                token = uuid.uuid4().hex
                turn[name] = program.ask((name, token), tries.DEADLINE)
                if wrong := finding(turn[name], token, pid):
                    raise ChecksFailed(f"{what}, {name}: the measurement does not count: {wrong}")
            turns.append(turn)
    return turns


def finding(report: LifecycleReport, token: str, parent: int) -> str:
    """What is wrong with a worker; empty if it counts."""
    if report["outcome"] != "done" or report["exitcode"] != 0:
        return f"the worker {report['outcome']}, exit status {report.get('exitcode')}"
    worker = report["worker"]
    if [row[0] for row in worker["rows"]] != [token] * 2:
        return "the worker did not return its own token"
    return "" if worker["ppid"] == parent and worker["mark"] else "the worker was not forked by its parent"


def samples(turns: Sequence[Mapping[str, LifecycleReport]]) -> dict[str, dict[str, float]]:
    """By route, the figures `NAMES` of one parent: medians in seconds, and ratios of neighbours in time."""
    first = {route: [seconds(turn[route])[0] for turn in turns] for route in turns[0]}
    further = {route: [seconds(turn[route])[1] for turn in turns] for route in turns[0]}
    return {
        route: {
            "first_row": median(first[route]),
            "next_row": median(further[route]),
            "first_ratio": ratio(first[route], first[things.DIRECT]),
            "next_ratio": ratio(further[route], further[things.DIRECT]),
        }
        for route in turns[0]
    }


def ratio(values: Sequence[float], direct: Sequence[float]) -> float:
    return exp(hodges_lehmann([log(one / other) for one, other in zip(values, direct, strict=True)]))


def seconds(report: LifecycleReport) -> tuple[float, float]:
    """From `Process.start()` to the first row, and from there to the second."""
    worker = report["worker"]
    return (
        (worker["first_row"] - report["called"]) * 1e-9,
        (worker["second_row"] - worker["first_row"]) * 1e-9,
    )


def counted(python: Path, driver: Driver, pool: str, server: Server) -> dict[str, dict[str, Any]]:
    """By route, round trips of a worker, which a relay counts, and sessions of the server."""
    found: dict[str, dict[str, Any]] = {}
    with tries.trying(python, driver) as program:
        for route in things.ROUTES:
            held = tries.ask(program, server, driver, "sessions", route, pool, [things.common(driver, route)])
            found[route] = {"held": [int(number) for number in held.split()]}
    for route in things.ROUTES:
        with routed(server, route) as through, Relay(through) as relay:
            *_, turn = timed(python, driver, pool, {route: relay.server}, workers=2)
        report = turn[route]
        moments = (report["called"], report["worker"]["first_row"], report["worker"]["second_row"])
        found[route]["trips"] = [
            sum(event.kind != STATEMENT for event in relay.between(*between))
            for between in (moments[:2], moments[1:])
        ]
    return found

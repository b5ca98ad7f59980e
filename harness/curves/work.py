"""Work: what a pool saves over the queries of a worker, and the share of start-up in the life of a task."""

import random
from collections.abc import Sequence
from itertools import product
from math import ceil
from statistics import median
from typing import TYPE_CHECKING

from harness.curves.curve import At, CurvePlan, CurveRecord, Samples

if TYPE_CHECKING:
    from harness.postgres.server import Server

QUERIES = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Checkouts with a query each, at which the time is read."""

BEHIND = "pgbouncer"

PAIRS = {
    "fork": ("fork_dispose", "nullpool", ""),
    "spawn": ("spawn", "spawn_nullpool", ""),
    "fork behind PgBouncer": ("fork_dispose", "nullpool", BEHIND),
}
"""A strategy with a pool, one with NullPool, and the pooler in front of the server."""

POOL_MODE = "transaction"
"""Of PgBouncer: the mode in which NullPool is common."""

TASKS = (0.001, 0.1, 1.0)
"""Seconds of a task, with which the computed share of start-up is verified."""

SHARE = 0.01
"""Of a worker's life: start-up below it does not matter."""

WORKERS = 3
"""Of each visit, one after another."""

DRAWS = 2000
"""Resamplings of an interval."""


class WorkCurve(CurvePlan):
    name = "work"
    seconds = 3.5

    def points(self) -> Sequence[At]:
        # Only here and below, because `poolstart bill` imports this module.
        from harness.fleets.measure import STRATEGIES

        queries: list[At] = [
            {"strategy": name, "task": "queries", "pooler": between}
            for *names, between in PAIRS.values()
            for name in names
        ]
        return queries + [{"strategy": name, "task": task} for name, task in product(STRATEGIES, TASKS)]

    def refused(self, at: At, server: "Server") -> str:
        return no_pooler() if at.get("pooler") else ""

    def measure(self, at: At, server: "Server") -> Samples:
        from harness.fleets import measure as fleets
        from harness.poolers import pgbouncer

        if at.get("pooler"):
            with pgbouncer.started(server, POOL_MODE) as through:
                return self.measure({**at, "pooler": ""}, through)
        queries = at["task"] == "queries"
        step = ["query", QUERIES[-1] - 1] if queries else ["sleep", at["task"]]
        # Under forkserver the first worker starts the fork server as well.
        _, (_, *reports) = fleets.run(str(at["strategy"]), server, workers=[1] * (1 + WORKERS), steps=[step])
        values: dict[str, list[float]] = {"first": [], "life": []}
        for report in reports:
            (worker,) = report["workers"]
            values["first"].append((worker["first_row"] - report["called"]) * 1e-9)
            values["life"].append((report["ended"] - report["called"]) * 1e-9)
            if queries:
                # The step begins a moment after the first row, when its order arrives.
                ends = [worker["first_row"], *report["answers"][0][0]]
                for number in QUERIES:
                    values.setdefault(f"query_{number}", []).append(
                        (ends[number - 1] - worker["begun"]) * 1e-9
                    )
        return values


def no_pooler() -> str:
    """Why there is no PgBouncer on this machine; empty if there is one."""
    from harness.poolers import pgbouncer

    try:
        pgbouncer.version()
    except pgbouncer.NoPgBouncer as reason:
        return reason.problem
    return ""


def cumulative(record: CurveRecord, strategy: str, between: str = "") -> dict[int, list[float]]:
    """Seconds from the first line of a worker until so many queries are done, a value a worker.

    `between` is the pooler in front of the server.
    """
    (point,) = record.where(strategy=strategy, task="queries", pooler=between)
    return {number: point.values[f"query_{number}"] for number in QUERIES}


def pairs(record: CurveRecord) -> list[str]:
    """The pairs that were measured."""
    return [name for name, (*_, between) in PAIRS.items() if record.where(task="queries", pooler=between)]


def break_even(record: CurveRecord, pair: str) -> tuple[float, float, float] | None:
    """From how many queries on a pool is cheaper than NullPool: estimate and 95 % interval, from resampled
    workers (percentile bootstrap). None if it never is.
    """
    *names, between = PAIRS[pair]
    pooled, poolless = (cumulative(record, name, between) for name in names)
    estimate = crossing(
        {number: median(values) for number, values in pooled.items()},
        {number: median(values) for number, values in poolless.items()},
    )
    if estimate is None:
        return None
    drawn = random.Random(28)
    found = []
    for _ in range(DRAWS):
        # A worker is drawn with all its queries.
        both = []
        for cell in (pooled, poolless):
            workers = drawn.choices(range(len(cell[1])), k=len(cell[1]))
            both.append({number: median(values[each] for each in workers) for number, values in cell.items()})
        found.append(crossing(*both) or float(QUERIES[-1]))
    found.sort()
    return estimate, found[int(0.025 * DRAWS)], found[int(0.975 * DRAWS) - 1]


def crossing(pooled: dict[int, float], poolless: dict[int, float]) -> float | None:
    """The number of queries at which the first curve falls below the second, between its points by line."""
    before = None
    for number in pooled:
        gain = poolless[number] - pooled[number]
        if gain > 0:
            if before is None:
                return float(number)
            at, loss = before
            return at + (number - at) * -loss / (gain - loss)
        before = number, gain
    return None


def overhead(record: CurveRecord, strategy: str) -> float:
    """Seconds that a worker lives beyond its task: from the start to its first row, and its end.

    From the shortest task, so that the longer ones can verify it.
    """
    (point,) = record.where(strategy=strategy, task=TASKS[0])
    return point.median("life") - TASKS[0]


def off(record: CurveRecord, strategy: str) -> float:
    """How far the lives of workers with longer tasks are off from the computed ones, at most."""
    beyond = overhead(record, strategy)
    return max(
        abs((beyond + float(point.at["task"])) / point.median("life") - 1)
        for point in record.where(strategy=strategy)
        if point.at["task"] not in ("queries", TASKS[0])
    )


def tasks_enough(overhead: float, task: float) -> int:
    """Tasks of a worker before it is replaced with which start and end are less than `SHARE` of its life."""
    return ceil(long_enough(overhead) / task)


def long_enough(overhead: float, share: float = SHARE) -> float:
    """Seconds of a task from which on start and end are less than `share` of a worker's life."""
    return overhead * (1 - share) / share

"""The checks of a pool: one that fails any of them yields no figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from harness.lifecycles.checks import start_method_used
from harness.strategies import Strategy


class InitializerReport(TypedDict):
    """What a worker's initializer reports (`inside/worker.py`); moments are `time.monotonic_ns()`."""

    started: int
    """When the initializer began."""
    first_row: int
    """When the worker had its row."""
    row: list[Any]
    """The token from the server, and the server's pid of the session."""
    pid: int
    ppid: int
    mark: str | None
    """The parent's mark, which only a forked worker has in its memory."""
    uss: int
    """In bytes; read by the parent."""


class PoolReport(TypedDict):
    """What a parent reports of a pool (`inside/parent.py`); of a hung one only `outcome` and `workers`."""

    outcome: str
    """`done`, or `hung` if a worker did not report in time."""
    workers: list[InitializerReport]
    token: NotRequired[str]
    called: NotRequired[int]
    """When `Pool()` was called."""
    returned: NotRequired[int]
    """When `Pool()` returned."""
    exitcodes: NotRequired[list[int | None]]
    backend_before: NotRequired[int]
    """The parent's session before the pool."""
    row_after: NotRequired[Sequence[Any]]
    """A row that the parent fetched after the pool."""


class PoolParentOrder(TypedDict, total=False):
    """The first line that a parent of pools reads."""

    do: str
    """`measure` pools, one for each token that follows, or `behave`, which needs `start_method` only."""
    strategy: str
    url: str
    workers: int
    mark: str
    """A random text to write into its own memory, from which a forked worker has it."""
    start_method: str
    deadline: float
    """Seconds for the next worker of a pool to report."""


@dataclass(frozen=True)
class PoolOrder:
    """The pool that was ordered from a parent."""

    strategy: Strategy
    workers: int
    token: str
    mark: str
    parent: int
    """The parent's pid."""


def findings(order: PoolOrder, report: PoolReport) -> list[str]:
    """What is wrong with a pool; empty if it counts."""
    workers, strategy = report["workers"], order.strategy
    if report["outcome"] != "done":
        return [f"{len(workers)} of {order.workers} workers had their row in time"]
    failed = []
    if len({worker["pid"] for worker in workers}) != order.workers or len(workers) != order.workers:
        failed.append(f"the initializer ran {len(workers)} times for {order.workers} workers")
    for worker in workers:
        method = start_method_used(
            has_parents_memory=worker["mark"] == order.mark, is_parents_child=worker["ppid"] == order.parent
        )
        if method != strategy.start_method:
            failed.append(f"a worker was started by {method}")
        if worker["row"][0] != order.token:
            failed.append("a worker returned another worker's row")
        if not report["called"] < worker["started"] < worker["first_row"]:
            failed.append("the clock ran backwards")
    backends = {worker["row"][1] for worker in workers}
    # NullPool closes a connection after use, and the server may give its pid to the next one.
    if strategy.pooled and (len(backends) != order.workers or report["backend_before"] in backends):
        failed.append("workers shared a session")
    if strategy.keeps_parent_connection and report["row_after"] != [order.token, report["backend_before"]]:
        failed.append("the parent's connection does not answer as before")
    if any(code != 0 for code in report["exitcodes"]) or len(report["exitcodes"]) != order.workers:
        failed.append(f"workers ended with {report['exitcodes']}")
    return list(dict.fromkeys(failed))

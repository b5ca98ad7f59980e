"""The checks that a lifecycle must pass before its values count.

A check returns what is wrong in words, or an empty string. A lifecycle with a finding is an error with its
reasons, never a number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from harness.lifecycles.messages import LifecycleReport, ParentReport, WorkerReport
from harness.strategies import ParentConnection, Strategy
from harness.system.memory import MIB

MAX_PICKLED = 16 * 1024
"""Bytes that may be pickled to a worker: enough for a URL and two names, too few for a table."""

FRAME_TOLERANCE = (0.9, 1.25)
"""Limits of the resident size of the DataFrame, as fractions of the requested size."""


FIRST_OF_WORKER = "harness.lifecycles.inside"
"""The first module that a worker of a fork server imports itself."""


@dataclass(frozen=True)
class Evidence:
    """Everything that is known about one lifecycle."""

    strategy: Strategy
    mark: str
    """A random text that the parent wrote into its own memory before the start."""
    dataframe_mib: int
    parent: ParentReport
    report: LifecycleReport
    """What parent and worker reported of the lifecycle."""
    sessions_before: frozenset[int]
    sessions_after: frozenset[int]
    """Backend pids of this parent and its workers, from `pg_stat_activity`, before and after."""
    left_over: tuple[str, ...]
    """Processes that are still running after the worker was reaped."""
    pooler: bool = False
    """Whether a pooler is in between: backends then say nothing about connections."""

    @property
    def worker(self) -> WorkerReport:
        """The worker's report."""
        return self.report["worker"]

    @property
    def backends(self) -> tuple[int, int]:
        """Backend pids of the worker's two queries."""
        first, second = (pid for _, pid in self.worker["rows"])
        return first, second


def start_method_used(*, has_parents_memory: bool, is_parents_child: bool) -> str:
    """How a worker was started, as its memory and its parent process show."""
    if has_parents_memory:
        return "fork" if is_parents_child else "an unknown method"
    return "spawn" if is_parents_child else "forkserver"


def start_method(e: Evidence) -> str:
    """The worker was started by the strategy's start method."""
    used = start_method_used(
        has_parents_memory=e.worker["mark"] == e.mark, is_parents_child=e.worker["ppid"] == e.parent["pid"]
    )
    return "" if used == e.strategy.start_method else f"the worker was started by {used}"


def driver(e: Evidence) -> str:
    """Parent and worker used the strategy's driver."""
    wanted = e.strategy.driver
    for dialect in (e.parent["dialect"], e.worker.get("driver", wanted.dialect)):
        if dialect != wanted.dialect:
            return f"the engine used {dialect} instead of {wanted.name}"
    implementation = e.parent["driver"].get("implementation", "")
    if implementation != wanted.implementation:
        return f"the implementation of {wanted.name} was {implementation}, not {wanted.implementation}"
    return ""


def preloaded(e: Evidence) -> str:
    """SQLAlchemy was loaded before the worker began exactly if the fork server preloads it."""
    if e.strategy.start_method != "forkserver" or e.worker["preloaded"] == bool(e.strategy.preload):
        return ""
    return "SQLAlchemy was preloaded" if e.worker["preloaded"] else "SQLAlchemy was not preloaded"


def order(e: Evidence) -> str:
    """Timestamps are positive and in order."""
    names = ("called", "started", "usable", "first_row", "second_row", "released", "reaped")
    moments = cast(dict[str, int], {**e.report, **e.worker})
    for earlier, later in pairwise(names):
        if not 0 < moments[earlier] < moments[later]:
            return f"the clock ran backwards between {earlier} and {later}"
    if not moments["called"] < moments["returned"] < moments["reaped"]:
        return "Process.start() did not return between its call and the worker's end"
    return ""


def rows(e: Evidence) -> str:
    """The worker fetched its own token twice."""
    tokens = [token for token, _ in e.worker["rows"]]
    return "" if tokens == [e.report["token"]] * 2 else f"the worker returned {tokens}, not its own token"


def backend(e: Evidence) -> str:
    """The worker's backend is the parent's exactly if the strategy shares the connection."""
    shared = e.report["backend_before"] in e.backends
    if shared == e.strategy.shares_connection:
        return ""
    return "the worker used the parent's backend" if shared else "the worker did not use the parent's backend"


def checkouts(e: Evidence) -> str:
    """A pool gives the same backend for both checkouts, NullPool two backends."""
    first, second = e.backends
    if (first == second) == e.strategy.pooled:
        return ""
    return f"two checkouts saw backends {first} and {second}"


def parent_answers(e: Evidence) -> str:
    """The parent reads its own row over the backend it had, unless the strategy declares the loss."""
    if not e.strategy.pooled:
        return ""  # NullPool keeps no connection that could be lost
    token, pid = e.report["row_after"]
    if token != e.report["token"]:
        return f"the parent read {token!r} instead of its own row"
    if e.pooler:
        return ""
    kept = pid == e.report["backend_before"]
    if e.strategy.keeps_parent_connection and not kept:
        return "the parent lost its connection"
    if e.strategy.parent_connection is ParentConnection.CLOSED and kept:
        return "the parent did not close its connection"
    if e.strategy.parent_connection is ParentConnection.KILLED and (kept or not e.report.get("killed")):
        return "the worker did not end the parent's session"
    return ""


def frame(e: Evidence) -> str:
    """The DataFrame is resident in the parent, and was not pickled to the worker."""
    low, high = (bound * e.dataframe_mib * MIB for bound in FRAME_TOLERANCE)
    resident = e.parent["frame_resident"]
    if not low <= resident <= high:
        return f"the DataFrame takes {resident / MIB:.0f} MiB instead of {e.dataframe_mib}"
    if e.report["parent_uss"] < low:
        return "the DataFrame is no longer resident in the parent"
    if e.report["pickled"] > MAX_PICKLED:
        return f"{e.report['pickled']} bytes were pickled to the worker"
    if e.worker["pandas"] and not (e.strategy.inherits and e.dataframe_mib):
        return "the worker imported pandas"
    return ""


def sessions(e: Evidence) -> str:
    """`pg_stat_activity` is back at its baseline."""
    if len(e.sessions_after) == len(e.sessions_before):
        return ""
    return f"{len(e.sessions_after)} sessions are left where {len(e.sessions_before)} were"


def reaped(e: Evidence) -> str:
    """The worker exited with status 0, was reaped, and left nothing running."""
    if e.report["exitcode"] != 0:
        return f"the worker exited with {e.report['exitcode']}"
    return f"still running: {', '.join(e.left_over)}" if e.left_over else ""


def driver_to_preload(strategy: Strategy, worker: WorkerReport) -> str:
    """The engine's driver if a worker had to import it although its fork server preloads modules, else empty.

    No failed check: the measurement is right, but workers of this strategy could start several times faster.
    `worker` is the report of a parent's last worker; that of another one names no driver.
    """
    dialect = worker.get("driver")
    if not dialect or not strategy.preload:
        return ""
    preloaded = worker["imported"][: worker["imported"].index(FIRST_OF_WORKER)]
    needed = (f"sqlalchemy.dialects.postgresql.{dialect}", dialect)
    return "" if set(needed) <= set(preloaded) else dialect


CHECKS: tuple[Callable[[Evidence], str], ...] = (
    start_method,
    driver,
    preloaded,
    order,
    rows,
    backend,
    checkouts,
    parent_answers,
    frame,
    sessions,
    reaped,
)


OF_BACKENDS = (backend, checkouts, sessions)
"""The checks of which connection was used, and that none is left, which need the server itself."""


def findings(evidence: Evidence) -> list[str]:
    """What is wrong with a lifecycle, one text per failed check; empty if it counts."""
    checks = [check for check in CHECKS if not (evidence.pooler and check in OF_BACKENDS)]
    return [finding for check in checks if (finding := check(evidence))]

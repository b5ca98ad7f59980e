"""The guards: what a lifecycle must prove before any figure of it counts.

A guard that finds something wrong returns it in words; a lifecycle with a finding is an error with its
reasons, never a number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from harness.strategies import ParentConnection, Strategy
from harness.system.memory import MIB

MAX_PICKLED = 16 * 1024
"""Bytes that may be pickled to a worker: a URL and two names fit, a table does not."""

FRAME_TOLERANCE = (0.9, 1.25)
"""The resident size of the DataFrame may be off by this much from what was asked for."""


@dataclass(frozen=True)
class Evidence:
    """All that is known of one lifecycle and its surroundings."""

    strategy: Strategy
    mark: str
    """What the parent wrote into its own memory before the start."""
    dataframe_mib: int
    parent: dict[str, Any]
    """What the parent said of itself when it was ready."""
    seen: dict[str, Any]
    """What parent and worker reported of the lifecycle (`harness.lifecycles.inside.parent`)."""
    sessions_before: frozenset[int]
    sessions_after: frozenset[int]
    """Backend pids of this parent and its workers, from `pg_stat_activity`."""
    left_over: tuple[str, ...]
    """Processes still there after the worker was reaped."""

    @property
    def worker(self) -> dict[str, Any]:
        worker: dict[str, Any] = self.seen["worker"]
        return worker

    @property
    def backends(self) -> tuple[int, int]:
        first, second = (pid for _, pid in self.worker["rows"])
        return first, second


def start_method(e: Evidence) -> str:
    """The start method in use is the one asked for."""
    forked = e.worker["mark"] == e.mark
    child = e.worker["ppid"] == e.parent["pid"]
    used = {(True, True): "fork", (False, True): "spawn", (False, False): "forkserver"}.get((forked, child))
    return "" if used == e.strategy.start_method else f"the worker was started by {used}"


def preloaded(e: Evidence) -> str:
    """The worker's process held SQLAlchemy before it began exactly where the fork server preloads it."""
    if e.strategy.start_method != "forkserver" or e.worker["preloaded"] == bool(e.strategy.preload):
        return ""
    return "SQLAlchemy was preloaded" if e.worker["preloaded"] else "SQLAlchemy was not preloaded"


def order(e: Evidence) -> str:
    """Timestamps are ordered and positive."""
    names = ("called", "started", "usable", "first_row", "second_row", "released", "reaped")
    moments = {**e.seen, **e.worker}
    for earlier, later in pairwise(names):
        if not 0 < moments[earlier] < moments[later]:
            return f"the clock ran backwards between {earlier} and {later}"
    if not moments["called"] < moments["returned"] < moments["reaped"]:
        return "Process.start() returned outside the worker's life"
    return ""


def rows(e: Evidence) -> str:
    """The worker returned the expected rows."""
    tokens = [token for token, _ in e.worker["rows"]]
    return "" if tokens == [e.seen["token"]] * 2 else f"the worker returned {tokens}, not its own token"


def backend(e: Evidence) -> str:
    """The worker's backend is its own, or the parent's exactly where the strategy shares it."""
    shared = e.seen["backend_before"] in e.backends
    if shared == e.strategy.shares_connection:
        return ""
    return "the worker used the parent's backend" if shared else "the worker did not use the parent's backend"


def checkouts(e: Evidence) -> str:
    """A pool gives the same backend twice, NullPool two."""
    first, second = e.backends
    if (first == second) == e.strategy.pooled:
        return ""
    return f"two checkouts saw backends {first} and {second}"


def parent_answers(e: Evidence) -> str:
    """The parent's connection still answers, over the backend it had; or is lost exactly as declared."""
    if not e.strategy.pooled:
        return ""  # no connection of the parent's is there to be lost
    token, pid = e.seen["row_after"]
    if token != e.seen["token"]:
        return f"the parent read {token!r} instead of its own row"
    kept = pid == e.seen["backend_before"]
    if e.strategy.keeps_parent_connection and not kept:
        return "the parent lost its connection"
    if e.strategy.parent_connection is ParentConnection.CLOSED and kept:
        return "the parent did not close its connection"
    if e.strategy.parent_connection is ParentConnection.KILLED and (kept or not e.seen.get("killed")):
        return "the worker did not end the parent's session"
    return ""


def frame(e: Evidence) -> str:
    """The DataFrame is resident in the parent, and was not pickled to the worker."""
    low, high = (bound * e.dataframe_mib * MIB for bound in FRAME_TOLERANCE)
    resident = e.parent["frame_resident"]
    if not low <= resident <= high:
        return f"the DataFrame takes {resident / MIB:.0f} MiB instead of {e.dataframe_mib}"
    if e.seen["parent_uss"] < low:
        return "the DataFrame is no longer resident in the parent"
    if e.seen["pickled"] > MAX_PICKLED:
        return f"{e.seen['pickled']} bytes were pickled to the worker"
    if e.worker["pandas"] and not (e.strategy.inherits and e.dataframe_mib):
        return "the worker imported pandas"
    return ""


def sessions(e: Evidence) -> str:
    """`pg_stat_activity` is back at its baseline."""
    if len(e.sessions_after) == len(e.sessions_before):
        return ""
    return f"{len(e.sessions_after)} sessions are left where {len(e.sessions_before)} were"


def reaped(e: Evidence) -> str:
    """The worker left by itself, was reaped, and nothing is left running."""
    if e.seen["exitcode"] != 0:
        return f"the worker exited with {e.seen['exitcode']}"
    return f"still running: {', '.join(e.left_over)}" if e.left_over else ""


CHECKS: tuple[Callable[[Evidence], str], ...] = (
    start_method,
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


def findings(evidence: Evidence) -> list[str]:
    """What is wrong with a lifecycle; empty when it counts."""
    return [finding for guard in CHECKS if (finding := guard(evidence))]

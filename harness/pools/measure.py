"""Measures `multiprocessing.Pool(initializer=...)`: the time until workers have rows, and their memory."""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import product
from typing import cast

import sqlalchemy

from harness import strategies
from harness.pools.checks import PoolOrder, PoolParentOrder, PoolReport, findings
from harness.pools.figures import PoolBehaviour, PoolFigures, PoolsTable
from harness.postgres import locate, sessions
from harness.postgres.server import Server
from harness.processes.child import run_program
from harness.processes.errors import ChecksFailed, NotApplicable
from harness.records.provenance import Provenance
from harness.records.rows import combine
from harness.records.session import Parts
from harness.system.structure import structure

PROGRAM = "harness.pools.inside.program"

WORKERS = (2, 8)
"""The sizes of pools."""

PARENTS = 3
"""Parents of each strategy and size."""

POOLS = 4
"""Pools of each parent, one after another."""

DEADLINE = 30.0
"""Seconds for the next worker of a pool to have its row."""


def measure_all(
    server: Server,
    parents: int = PARENTS,
    pools: int = POOLS,
    progress: Callable[[str], None] = lambda step: None,
    *,
    names: Sequence[str] = strategies.IDS,
    parts: Parts | None = None,
    command: str = "",
) -> PoolsTable:
    """Measure pools of every size under these strategies, less what is among `parts`.

    The parents of all cells take turns; `progress` gets a description of each. `command` is recorded. Raises
    `Rejected` if a pool fails.
    """
    parts = parts or Parts()
    cells = [(name, workers) for name in names for workers in WORKERS]
    for parent, (name, workers) in product(range(parents), cells):
        if (part := f"{parent} {name} {workers}") not in parts.parts:
            progress(f"parent {parent + 1} of {parents}, {name}, {workers} workers")
            parts.add(part, asdict(measure_or_reason(name, workers, server, pools)))
    methods = dict.fromkeys(strategies.get(name).start_method for name in names)
    for method in methods:
        if method not in parts.parts:
            progress(f"how pools behave under {method}")
            parts.add(method, asdict(behaviour(method)))
    return PoolsTable(
        Provenance.here(server.identity, command),
        parents,
        pools,
        tuple(
            combine(
                [
                    structure(PoolFigures, parts.parts[f"{parent} {name} {workers}"])
                    for parent in range(parents)
                ]
            )
            for name, workers in cells
        ),
        tuple(structure(PoolBehaviour, parts.parts[method]) for method in methods),
    )


def measure_here(progress: Callable[[str], None]) -> PoolsTable:
    """As `measure_all`, with the server of this machine."""
    with locate.server() as server:
        return measure_all(server, progress=progress)


def measure_or_reason(strategy: str, workers: int, server: Server, pools: int) -> PoolFigures:
    """As `measure`, but figures with a reason if the strategy cannot be used in a pool."""
    try:
        return measure(strategy, workers, server, pools)
    except NotApplicable as reason:
        return PoolFigures(strategy, workers, reason=str(reason))


def measure(strategy: str, workers: int, server: Server, pools: int = POOLS) -> PoolFigures:
    """Start one parent, which creates `pools` pools one after another.

    Raises `NotApplicable` if the strategy cannot be used in a pool, and `Rejected` if a pool hangs,
    fails, or does not pass its checks.
    """
    entry = strategies.get(strategy)
    reason = entry.not_applicable(sqlalchemy.__version__)
    if not reason and entry.shares_connection:
        reason = f"{strategy}: workers that use one connection at the same time get each other's rows"
    if reason:
        raise NotApplicable(reason)
    title = f"Pool({workers}), {strategy}"
    mark, application_name = uuid.uuid4().hex, f"poolstart-{uuid.uuid4().hex[:12]}"
    order: PoolParentOrder = {
        "do": "measure",
        "strategy": strategy,
        "url": server.sqlalchemy_url(application_name),
        "workers": workers,
        "mark": mark,
        "deadline": DEADLINE,
    }
    tokens = [uuid.uuid4().hex for _ in range(pools)]
    parent, *answers = run_program(title, PROGRAM, [json.dumps(order), *tokens], DEADLINE * (1 + pools))
    reports = cast(list[PoolReport], answers)
    for token, report in zip(tokens, reports, strict=True):
        failed = findings(PoolOrder(entry, workers, token, mark, parent["pid"]), report)
        if failed:
            raise ChecksFailed(f"{title}: the measurement does not count: {'; '.join(failed)}")
    if left := sessions.remaining(server, application_name):
        raise ChecksFailed(f"{title}: {left} sessions are left after all processes have ended")
    return figures(strategy, workers, reports)


def figures(strategy: str, workers: int, reports: Sequence[PoolReport]) -> PoolFigures:
    """The figures of pools that passed their checks."""

    def seconds(report: PoolReport, moment: int) -> float:
        return (moment - report["called"]) * 1e-9

    rows = [[worker["first_row"] for worker in report["workers"]] for report in reports]
    return PoolFigures(
        strategy,
        workers,
        first=tuple(seconds(report, min(moments)) for report, moments in zip(reports, rows, strict=True)),
        last=tuple(seconds(report, max(moments)) for report, moments in zip(reports, rows, strict=True)),
        blocked=tuple(seconds(report, report["returned"]) for report in reports),
        uss=tuple(worker["uss"] for report in reports for worker in report["workers"]),
    )


def behaviour(start_method: str) -> PoolBehaviour:
    """Run a pool whose initializer raises, and one with `maxtasksperchild=1`."""
    order: PoolParentOrder = {"do": "behave", "start_method": start_method, "deadline": DEADLINE}
    (report,) = run_program(f"Pool(2), {start_method}", PROGRAM, [json.dumps(order)], 4 * DEADLINE)
    return structure(PoolBehaviour, {"start_method": start_method, **report})

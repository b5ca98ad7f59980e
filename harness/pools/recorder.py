"""The recorder of pools."""

from collections.abc import Sequence
from dataclasses import replace

from harness import strategies
from harness.console.progress import Progress
from harness.pools import measure, report
from harness.pools.figures import PoolsTable
from harness.postgres import locate
from harness.records import rows, store
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import RecordingSession
from harness.system import files
from harness.system.errors import PoolstartError


class PoolsRecorder(Recorder):
    title = "multiprocessing.Pool with an initializer"
    options = ("--only", "--repeat", "--fresh")
    rows_are = "strategies"
    repeats = "parents of each strategy and size"
    default_repeat = measure.PARENTS
    file = files.shown(report.PATH)

    SECONDS = 3.5
    """Of the pools of one parent."""

    def rows(self) -> Sequence[str]:
        return strategies.IDS

    def seconds(self, request: Request) -> float:
        """The pools of one parent take about 3.5 seconds."""
        cells = len(self.selected(request)) * len(measure.WORKERS)
        return cells * self.repeat(request) * self.SECONDS

    def measure(self, request: Request, report_: Progress) -> str:
        names, parents = self.selected(request), self.repeat(request)
        table = report.load()
        if table and set(names) < set(strategies.IDS) and table.parents != parents:
            raise PoolstartError(
                f"the other strategies were measured with {table.parents} parents",
                f"give --repeat {table.parents}, or record all strategies",
            )
        with locate.server() as server:
            provenance = Provenance.here(server.identity, request.command)
            conditions = provenance.conditions(strategies=" ".join(names), parents=str(parents))
            session = RecordingSession("pools", conditions, fresh=request.fresh)
            measured = measure.measure_all(
                server, parents, progress=report_, names=names, parts=session, command=request.command
            )
        store.save(report.PATH, merge(table, measured))
        session.close()
        return f"{len(measured.cells)} rows"


def merge(table: PoolsTable | None, measured: PoolsTable) -> PoolsTable:
    """The table with the measured strategies in place of its own, with their provenance.

    If none of its own is left, the measured table replaces it.
    """
    merged = rows.merge(
        table,
        measured,
        "cells",
        lambda cell: cell.strategy,
        lambda cell: (strategies.IDS.index(cell.strategy), cell.workers),
    )
    if not table or merged is measured:
        return measured
    methods = {behaviour.start_method: behaviour for behaviour in (*table.behaviours, *measured.behaviours)}
    return replace(merged, behaviours=tuple(methods.values()))

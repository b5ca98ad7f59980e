"""The recorder of fleets."""

from collections.abc import Sequence
from dataclasses import replace

from harness import strategies
from harness.console.progress import Progress
from harness.fleets import figures, measure
from harness.fleets.figures import PROCESS, FleetsTable
from harness.postgres import locate
from harness.records import rows, store
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import RecordingSession
from harness.system import files


class FleetsRecorder(Recorder):
    title = "1 to 64 workers started together: time, processor time, memory of the tree"
    options = ("--only", "--repeat", "--fresh")
    rows_are = "strategies"
    repeats = "parents of each strategy, size and DataFrame"
    default_repeat = measure.PARENTS
    file = files.shown(figures.PATH)

    SECONDS = 32.0
    """Of the fleets of one strategy, all sizes, DataFrames and starters, a parent each."""

    def rows(self) -> Sequence[str]:
        return measure.STRATEGIES

    def seconds(self, request: Request) -> float:
        return len(self.selected(request)) * self.repeat(request) * self.SECONDS

    def measure(self, request: Request, report: Progress) -> str:
        names, parents = self.selected(request), self.repeat(request)
        with locate.server() as server:
            provenance = Provenance.here(server.identity, request.command)
            conditions = provenance.conditions(strategies=" ".join(names), parents=str(parents))
            session = RecordingSession("fleets", conditions, fresh=request.fresh)
            measured = measure.measure_all(
                server,
                names=names,
                parents=parents,
                parts=session,
                progress=report,
                command=request.command,
            )
        store.save(figures.PATH, merge(figures.load(), measured))
        session.close()
        return f"{len(measured.cells)} rows"


def merge(table: FleetsTable | None, measured: FleetsTable) -> FleetsTable:
    """The table with the measured strategies in place of its own, with their provenance.

    If none of its own is left, the measured table replaces it.
    """
    merged = rows.merge(
        table,
        measured,
        "cells",
        lambda cell: cell.strategy,
        lambda cell: (
            cell.starter != PROCESS,
            cell.starter,
            cell.dataframe_mib,
            cell.workers,
            strategies.IDS.index(cell.strategy),
        ),
    )
    return replace(merged, round_trips=(table.round_trips if table else {}) | measured.round_trips)

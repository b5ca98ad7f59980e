"""The recorder of fleets."""

from collections.abc import Sequence
from dataclasses import replace

from harness import strategies
from harness.console.progress import Progress
from harness.fleets import figures, measure
from harness.fleets.figures import PROCESS, FleetFigures, FleetsTable
from harness.postgres import locate
from harness.records import rows, store
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.rows import combine
from harness.records.session import RecordingSession
from harness.system import files


class FleetsRecorder(Recorder):
    title = "1 to 64 workers started together: time, processor time, memory of the tree"
    options = ("--only", "--repeat", "--fresh")
    rows_are = "strategies"
    repeats = "parents of each strategy, size and DataFrame, added to those on record (--fresh replaces them)"
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
        store.save(figures.PATH, merge(figures.load(), measured, add=not request.fresh))
        session.close()
        return f"{len(measured.cells)} rows"


def merge(table: FleetsTable | None, measured: FleetsTable, *, add: bool = True) -> FleetsTable:
    """The table with what was measured: its parents are added to those of the same cell under the same
    conditions, so that the figures are of several hours. Under others, or without `add`, its strategies take
    the place of the table's own, with their provenance; if none of its own is left, it replaces the table.
    """
    if add and table and table.provenance.conditions() == measured.provenance.conditions():
        added = {_key(cell): cell for cell in measured.cells}
        cells = [
            combine([cell, added.pop(_key(cell))]) if _key(cell) in added else cell for cell in table.cells
        ]
        return replace(
            table,
            cells=tuple(sorted([*cells, *added.values()], key=_key)),
            round_trips=table.round_trips | measured.round_trips,
            further=(*table.further, measured.provenance),
        )
    merged = rows.merge(table, measured, "cells", lambda cell: cell.strategy, _key)
    return replace(merged, round_trips=(table.round_trips if table else {}) | measured.round_trips)


def _key(cell: FleetFigures) -> tuple[bool, str, int, int, int]:
    order = strategies.IDS.index(cell.strategy)
    return cell.starter != PROCESS, cell.starter, cell.dataframe_mib, cell.workers, order

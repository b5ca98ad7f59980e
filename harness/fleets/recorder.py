"""The recorder of fleets."""

from collections.abc import Sequence
from dataclasses import replace

from harness import strategies
from harness.console.progress import Progress
from harness.fleets import figures, measure
from harness.fleets.figures import PROCESS, FleetFigures, FleetsTable
from harness.fleets.measure import CELERY
from harness.postgres import locate
from harness.records import rows, store
from harness.records.provenance import Provenance, installed
from harness.records.recorder import Recorder, Request
from harness.records.rows import combine
from harness.records.session import RecordingSession
from harness.system import files


class FleetsRecorder(Recorder):
    title = "1 to 64 workers started together: time, processor time, memory of the tree"
    options = ("--only", "--repeat", "--workers", "--fresh")
    rows_are = "strategies, and what else starts workers"
    repeats = "parents of each strategy, size and DataFrame, added to those on record (--fresh replaces them)"
    default_repeat = measure.PARENTS
    file = files.shown(figures.PATH)

    SECONDS, EACH = 1.0, 0.04
    """Of a parent with a fleet, and of each of its workers, on average."""

    def rows(self) -> Sequence[str]:
        return (*measure.STRATEGIES, *measure.STARTED)

    def selected(self, request: Request) -> list[str]:
        """Those of `--only`, or all that this environment has the packages for."""
        if request.only or installed(CELERY):
            return super().selected(request)
        return [name for name in self.rows() if name != CELERY]

    def seconds(self, request: Request) -> float:
        # A strategy has fleets with and without a DataFrame, a pool those of several strategies.
        kinds = [measure.STARTED.get(name, measure.DATAFRAMES) for name in self.selected(request)]
        row = sum(self.SECONDS + self.EACH * workers for workers in measure.sizes(request.workers))
        return sum(map(len, kinds)) * row * self.repeat(request)

    def measure(self, request: Request, report: Progress) -> str:
        names, parents = self.selected(request), self.repeat(request)
        with locate.server() as server:
            provenance = Provenance.here(server.identity, request.command)
            conditions = provenance.conditions(
                rows=" ".join(names), parents=str(parents), workers=str(request.workers or "")
            )
            session = RecordingSession("fleets", conditions, fresh=request.fresh)
            measured = measure.measure_all(
                server,
                names=[name for name in names if name in measure.STRATEGIES],
                sizes=measure.sizes(request.workers),
                starters={name: each for name, each in measure.STARTED.items() if name in names},
                parents=parents,
                parts=session,
                progress=report,
                command=request.command,
            )
        store.save(figures.PATH, merge(figures.load(), measured, add=not request.fresh))
        session.close()
        stored = f"{len(measured.cells)} rows"
        if request.only or CELERY in names:
            return stored
        # Those of Celery stay on record.
        return f"{stored}; Celery is not installed, {measure.WITH_CELERY}"


def merge(table: FleetsTable | None, measured: FleetsTable, *, add: bool = True) -> FleetsTable:
    """The table with what was measured: its parents are added to those of the same cell under the same
    conditions, so that the figures are of several hours. Under others, or without `add`, its rows take the
    place of the table's own, with their provenance; if none of its own is left, it replaces the table.
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
    merged = rows.merge(table, measured, "cells", _row, _key)
    return replace(merged, round_trips=(table.round_trips if table else {}) | measured.round_trips)


def _row(cell: FleetFigures) -> str:
    """What `--only` calls it."""
    return cell.strategy if cell.starter == PROCESS else cell.starter


def _key(cell: FleetFigures) -> tuple[bool, str, int, int, int]:
    order = strategies.IDS.index(cell.strategy)
    return cell.starter != PROCESS, cell.starter, cell.dataframe_mib, cell.workers, order

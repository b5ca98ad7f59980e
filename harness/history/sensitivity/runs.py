"""A/A runs: the same release measured several times, as `asv run` would."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from asv.machine import Machine

from harness.console.progress import Progress
from harness.history.sensitivity.record import RepeatedFigure, SensitivityRecord
from harness.lifecycles import metrics, plan
from harness.lifecycles.blocks import VERSION, MeasuredRun
from harness.lifecycles.cell import Cell
from harness.lifecycles.metrics import Table
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.records.provenance import Provenance
from harness.records.session import Parts
from harness.system.conditions import facts
from harness.system.structure import structure


def measure(
    cells: Sequence[Cell],
    server: Server,
    profile: Profile,
    release: str,
    python: Path,
    number: int,
    report: Progress,
    parts: Parts | None = None,
) -> list[MeasuredRun]:
    """Measure the release `number` times, one run after another, less the runs that are among `parts`."""
    parts = parts or Parts()
    due = [str(run) for run in range(1, number + 1) if str(run) not in parts.parts]
    for run, inner in report.each(due, name=lambda run: f"run {run}"):
        measured = plan.measure(cells, server, profile, release=release, python=python, report=inner)
        parts.add(run, asdict(measured))
    return [structure(MeasuredRun, parts.parts[str(run)]) for run in range(1, number + 1)]


def figures(runs: Sequence[MeasuredRun], cells: Sequence[Cell]) -> list[RepeatedFigure]:
    """By metric and cell; cells that were rejected in a run, or are not applicable, are left out."""
    complete = [
        cell for cell in cells if all(cell.id not in {**run.rejected, **run.not_applicable} for run in runs)
    ]
    return [
        RepeatedFigure(metric.id, cell.strategy, cell.dataframe, samples)
        for metric in metrics.shown_in(Table.SENSITIVITY)
        for cell in complete
        if all(samples := [run.samples(cell, metric.id) for run in runs])
    ]


def record(
    runs: Sequence[MeasuredRun],
    repeated: list[RepeatedFigure],
    server: Server,
    *,
    command: str,
    seconds: float,
    loaded: bool,
) -> SensitivityRecord:
    """The record of such runs, before any change is injected."""
    return SensitivityRecord(
        provenance=Provenance.here(server.identity, command, runs[0].release),
        instrument=VERSION,
        facts={**runs[0].facts, **facts(), "cpu": Machine.get_defaults()["cpu"]},
        seconds=round(seconds),
        disturbed=[sum(bool(block.noise) for block in run.blocks) for run in runs],
        figures=repeated,
        repetitions=[],
        loaded=loaded,
    )

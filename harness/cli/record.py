"""`poolstart record`: measure for the record, or list what is on record."""

from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import complete
from harness.cli.options import exclude, formatted

if TYPE_CHECKING:
    from harness.records.recorder import Recorder

RECORDERS = {
    "history": "harness.history.recorders:HistoryRecorder",
    "counts": "harness.counts.recorder:CountsRecorder",
    "instructions": "harness.instructions.recorder:InstructionsRecorder",
    "changes": "harness.history.recorders:ChangesRecorder",
    "causes": "harness.history.recorders:CausesRecorder",
    "sensitivity": "harness.history.sensitivity.recorder:SensitivityRecorder",
    "hazards": "harness.hazards.recorders:HazardsRecorder",
    "verdicts": "harness.hazards.recorders:VerdictsRecorder",
    "demos": "harness.demos.recorder:DemosRecorder",
    "programs": "harness.programs.recorder:ProgramsRecorder",
    "poolers": "harness.poolers.recorder:PoolersRecorder",
    "fleets": "harness.fleets.recorder:FleetsRecorder",
    "doctor": "harness.doctor.proof.recorder:DoctorRecorder",
    "curves": "harness.curves.recorder:CurvesRecorder",
    "servers": "harness.comparisons.recorder:ServersRecorder",
    "drivers": "harness.comparisons.recorder:DriversRecorder",
    "pythons": "harness.comparisons.recorder:PythonsRecorder",
}
"""By name, in the order of the list: the module and class of the recorder, imported when it is needed."""


@formatted
def record(
    name: Annotated[
        str | None,
        typer.Argument(
            help=f"{', '.join(RECORDERS)}; without it they are listed.",
            autocompletion=complete.of(RECORDERS),
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Measure only this row, for example a hazard or a program. May be repeated."),
    ] = None,
    repeat: Annotated[
        int | None, typer.Option(min=1, help="Repetitions: of runs, trials, pairs ..., as the list says.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Begin nothing after this time; 0 only stores what is there.")
    ] = None,
    load: Annotated[bool, typer.Option("--load", help="Keep processors busy meanwhile.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Discard what an interrupted session has measured.")
    ] = False,
    injected: Annotated[
        bool, typer.Option("--injected", help="sensitivity: inject known changes, and see if they are found.")
    ] = False,
    release: Annotated[str | None, typer.Option(help="demos: a SQLAlchemy release.")] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="instructions: count on the workers of this scheduler of Dask."),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="fleets: workers of the largest one.")] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUES",
            help="curves: other values of a parameter, such as distance=0.02,0.1. May be repeated.",
        ),
    ] = None,
    form: str = "table",
) -> None:
    """Measure for the record. If it is interrupted, the same command continues.

    Then `poolstart pages` generates the pages from the records. Without NAME: list the records, with
    date, machine and age, and what --only and --repeat mean for each.
    """
    # asv takes most of a second to import: only this command pays for it.
    from harness.console.numbers import duration
    from harness.console.progress import progress
    from harness.records import overview
    from harness.records.recorder import Request
    from harness.system import locks
    from harness.system.errors import PoolstartError

    request = Request(
        name or "",
        tuple(only or ()),
        fresh,
        repeat,
        load,
        minutes,
        injected,
        release or "",
        scheduler or "",
        workers,
        tuple(at or ()),
    )
    if name is None:
        exclude("the list of records, which is shown without NAME,", request.options)
        overview.write({each: recorder(each) for each in RECORDERS}, form)
        return
    if form != "table":
        exclude("measuring for the record", {f"--{form}": True})
    if name not in RECORDERS:
        raise PoolstartError(f"there is no record {name!r}", f"choose from {', '.join(RECORDERS)}")
    chosen = recorder(name)
    chosen.check(request)
    with locks.locked(chosen.lock):
        chosen.prepare(request)
        typer.echo(f"{name}: {chosen.title}; about {duration(chosen.seconds(request))}", err=True)
        with progress("starting") as report:
            stored = chosen.measure(request, report)
    typer.echo(
        f"stored in {chosen.file}: {stored}; `poolstart pages` generates the pages"
        if stored
        else f"{name}: nothing to measure, all of it is on record"
    )


def recorder(name: str) -> "Recorder":
    module, _, kind = RECORDERS[name].partition(":")
    made: Recorder = getattr(import_module(module), kind)()
    return made

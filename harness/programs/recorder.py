"""The recorder of programs that start workers."""

from collections.abc import Sequence
from dataclasses import asdict

from harness.console.progress import Progress
from harness.programs import report, setup
from harness.programs.figures import ProgramFigures, ProgramsTable
from harness.programs.head import Program, get, names
from harness.programs.measure import RUNS, measure
from harness.records import rows, store
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import RecordingSession
from harness.system import files
from harness.system.structure import structure

HOSTS = (1, 2)


class ProgramsRecorder(Recorder):
    title = "Celery, gunicorn and other programs, on one host, and on two as root"
    options = ("--only", "--fresh")
    rows_are = "programs"
    file = files.shown(report.PATH)

    SECONDS = 45
    """Of a program on one host or on two, once its packages are installed."""

    def rows(self) -> Sequence[str]:
        return names()

    def seconds(self, request: Request) -> float:
        return self.SECONDS * sum(len(programs) for programs in self._programs(request).values())

    def measure(self, request: Request, report_: Progress) -> str:
        selected = self._programs(request)
        if selected[2]:
            setup.select([program.name for program in selected[2]], 2)  # Fails before minutes are spent.
        here = Provenance.here("")
        conditions = {
            "programs": " ".join(self.selected(request)),
            "machine": here.machine,
            "python": here.python,
        }
        session = RecordingSession("programs", conditions, fresh=request.fresh)
        for hosts, programs in selected.items():
            due = [program for program in programs if f"{program.name} {hosts}" not in session.parts]
            if not due:
                continue
            with setup.server(hosts) as server:
                provenance = Provenance.here(server.identity, request.command)
                for program, inner in report_.each(due, name=lambda program: program.name):
                    inner("its packages")
                    python = setup.interpreter(program)
                    figures = measure(setup.ProgramSetup(program, python, server, hosts), progress=inner)
                    part = {"figures": asdict(figures), "provenance": asdict(provenance)}
                    session.add(f"{program.name} {hosts}", part)
        measured = [structure(ProgramFigures, part["figures"]) for part in session.parts.values()]
        *_, last = session.parts.values()
        provenance = structure(Provenance, last["provenance"])
        table = ProgramsTable(provenance, RUNS, tuple(measured))
        store.save(report.PATH, merge(report.load(), table))
        session.close()
        return f"{len(measured)} rows"

    def _programs(self, request: Request) -> dict[int, list[Program]]:
        programs = [get(name) for name in self.selected(request)]
        return {hosts: [program for program in programs if hosts == 1 or program.spreads] for hosts in HOSTS}


def merge(table: ProgramsTable | None, measured: ProgramsTable) -> ProgramsTable:
    """The table with the measured rows in place of its own, with their provenance.

    If none of its own is left, the measured table replaces it.
    """
    order = names()
    return rows.merge(
        table,
        measured,
        "programs",
        lambda figures: figures.title,
        lambda figures: (figures.hosts, order.index(figures.name)),
    )

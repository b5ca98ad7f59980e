"""The recorder of sensitivity: A/A runs, and injected changes."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from harness.console import terminal
from harness.console.progress import Progress
from harness.history.sensitivity import injected
from harness.history.sensitivity.record import LOADED, RECORD, SensitivityRecord
from harness.lifecycles import plan
from harness.lifecycles import profile as profiles
from harness.lifecycles.blocks import VERSION, MeasuredRun
from harness.lifecycles.cell import cells_of
from harness.postgres import locate
from harness.postgres.server import Server
from harness.processes import load as loads
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import RecordingSession
from harness.releases import interpreters
from harness.releases.catalogue import catalogue
from harness.system import files
from harness.system.errors import PoolstartError
from harness.system.structure import structure


class SensitivityRecorder(Recorder):
    title = "one release measured as if it were many; with --injected, known changes of it"
    options = ("--only", "--injected", "--repeat", "--load", "--fresh")
    rows_are = "injected changes"
    repeats = "runs; with --injected, repetitions of each change"
    default_repeat = 10
    file = files.shown(RECORD)

    RUN_SECONDS = 95
    INJECTION_SECONDS = 75
    REPETITIONS = 20
    PAIRS = 8
    """The least number of pairs of parents in a repetition."""

    def rows(self) -> Sequence[str]:
        return [change.id for change in injected.INJECTED_CHANGES]

    def check(self, request: Request) -> None:
        super().check(request)
        if request.injected:
            return
        for option, given in (("--only", request.only), ("--load", request.load)):
            if given:
                raise PoolstartError(f"{option} is for injected changes", "add --injected, or leave it out")
        if self.repeat(request) < 8:
            raise PoolstartError("fewer than 8 runs do not show how far they spread", "give --repeat 8")

    def seconds(self, request: Request) -> float:
        if request.injected:
            return self._repetitions(request) * len(self.selected(request)) * self.INJECTION_SECONDS
        return self.repeat(request) * self.RUN_SECONDS

    def measure(self, request: Request, report: Progress) -> str:
        with locate.server() as server, loads.at_random(request.load):
            if request.injected:
                return self._measure_injected(request, server, report)
            return self._measure_runs(request, server, report)

    def _measure_runs(self, request: Request, server: Server, report: Progress) -> str:
        """The same release several times, as `asv run` would."""
        release, number, profile = catalogue().newest.version, self.repeat(request), profiles.current()
        here = Provenance.here(server.identity, request.command, release)
        conditions = here.conditions(instrument=VERSION, profile=profile.name)
        session = RecordingSession("sensitivity", conditions, fresh=request.fresh)
        began, before = time.monotonic(), len(session.parts)
        cells, python = cells_of(profile), interpreters.of_release(release)
        due = [str(run) for run in range(1, number + 1) if str(run) not in session.parts]
        for run, inner in report.each(due, name=lambda run: f"run {run}"):
            measured = plan.measure(cells, server, profile, release=release, python=python, report=inner)
            session.add(run, asdict(measured))
        seconds = (time.monotonic() - began) * number / max(1, number - before)
        runs = [structure(MeasuredRun, session.parts[str(run)]) for run in range(1, number + 1)]
        SensitivityRecord.of(runs, cells, here, seconds).save(RECORD)
        session.close()
        return f"{number} runs of SQLAlchemy {release}"

    def _measure_injected(self, request: Request, server: Server, report: Progress) -> str:
        path, record = self._path(request), self._record(request)
        changes = [change for change in injected.INJECTED_CHANGES if change.id in self.selected(request)]
        if request.fresh:
            names = {change.id for change in changes}
            record.repetitions = [result for result in record.repetitions if result.seed not in names]
        record.pairs = record.pairs if record.repetitions and record.pairs else self.PAIRS
        results = injected.measure_all(
            record, server, profiles.current(), self._repetitions(request), record.pairs, report, changes
        )
        stored = 0
        for result in results:
            stored += 1
            record.repetitions.append(result)
            record.injected = Provenance.here(server.identity, request.command, record.provenance.release)
            record.save(path)
            found = ", ".join(result.found) or "nothing"
            terminal.print_text(
                terminal.output(),
                f"{result.seed}: found {found}; missed {', '.join(result.missed) or 'nothing'};"
                f" reported besides: {', '.join(result.unexpected) or 'nothing'}",
            )
        return f"{stored} repetitions of injected changes" if stored else ""

    def _repetitions(self, request: Request) -> int:
        return self.REPETITIONS if request.repeat is None else request.repeat

    def _record(self, request: Request) -> SensitivityRecord:
        """What results are added to: of runs beside a load, a copy of the other record if there is none."""
        path = self._path(request)
        record = SensitivityRecord.load(path if path.exists() else RECORD)
        if record.loaded == request.load:
            return record
        return replace(record, loaded=request.load, repetitions=[])

    def _path(self, request: Request) -> Path:
        return LOADED if request.load else RECORD

    def prepare(self, request: Request) -> None:
        super().prepare(request)
        files.require_writable(self._path(request))
        if request.injected:
            self._record(request)

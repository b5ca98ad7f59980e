"""The recorder of demos: each program many times, as it stands and cured."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path

from harness.console import terminal
from harness.console.progress import Progress
from harness.demos import catalogue, expected, repeat, report
from harness.demos.expected import DemoProof
from harness.demos.repeat import DemoRepetition
from harness.postgres import locate
from harness.processes import load as loads
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import RecordingSession
from harness.releases import interpreters
from harness.releases.catalogue import listed
from harness.system import files
from harness.system.errors import PoolstartError


class DemosRecorder(Recorder):
    title = "each demo many times, by every start method, as it stands and cured"
    options = ("--only", "--repeat", "--load", "--release", "--fresh")
    rows_are = "demos"
    repeats = "runs of each program"
    default_repeat = 50
    file = files.shown(expected.PATH)

    SECONDS = 1.5
    """Of a run."""

    def rows(self) -> Sequence[str]:
        return [demo.name for demo in catalogue.CATALOGUE]

    def seconds(self, request: Request) -> float:
        programs = len(self.selected(request)) * len(catalogue.START_METHODS) * 2
        return programs * self.repeat(request) * self.SECONDS / repeat.JOBS

    def measure(self, request: Request, report_: Progress) -> str:
        runs = self.repeat(request)
        release = listed(request.release) if request.release else ""
        python: str | Path = interpreters.of_release(release) if release else sys.executable
        with loads.all_but_one(request.load) as busy, locate.server() as server:
            provenance = Provenance.here(server.identity, request.command, release)
            if request.only:
                require_same(expected.load().get(provenance.release), runs, busy)
            conditions = provenance.conditions(runs=str(runs), busy=str(busy))
            session = RecordingSession("demos", conditions, fresh=request.fresh)
            programs = {
                f"{name} {method}": (catalogue.get(name), method)
                for name, method in product(self.selected(request), catalogue.START_METHODS)
            }
            due = [key for key in programs if key not in session.parts]
            for key, _ in report_.each(due, name=lambda key: key.replace(" ", ", ")):
                demo, method = programs[key]
                repetitions = list(repeat.repeat([demo], [method], runs, server, python))
                for repetition in repetitions:
                    terminal.print_text(terminal.output(), report.line(repetition))
                session.add(key, [{**asdict(each), "demo": demo.name} for each in repetitions])
        repetitions = [
            DemoRepetition(**{**fields, "demo": catalogue.get(fields["demo"])})
            for key in programs
            for fields in session.parts[key]
        ]
        expected.add(repetitions, provenance, busy)
        session.close()
        surprising = sum(repetition.surprising for repetition in repetitions)
        if surprising:
            raise PoolstartError(
                f"{surprising} of {len(repetitions)} programs did not come out the same every time",
                "they lost the proof they had; the lines above say which",
            )
        return f"{len(repetitions)} programs"


def require_same(proof: DemoProof | None, runs: int, busy: int) -> None:
    """Raises PoolstartError if the other demos of the release were repeated otherwise: they would be lost."""
    if proof and (proof.runs, proof.busy) != (runs, busy):
        raise PoolstartError(
            f"the other demos were run {proof.runs} times with {proof.busy} cores kept busy",
            f"give --repeat {proof.runs}{' --load' if proof.busy else ''}, or record all demos",
        )

"""The recorder of the doctor: every program of its tests many times, at a PID and as a command."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path
from typing import Any

from harness.console.progress import Progress
from harness.doctor import detected
from harness.doctor.proof import frameworks, programs, record
from harness.doctor.proof.record import DoctorRecord, VictimFigures
from harness.postgres import locate
from harness.postgres.server import Server
from harness.processes import load as loads
from harness.processes.supervision import Supervision
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import RecordingSession
from harness.system import files
from harness.system.errors import PoolstartError

TOGETHER = 6 * (os.cpu_count() or 1)
"""Programs that are looked at at the same time: they mostly wait."""

ATTEMPTS = 2
"""Of a look that came to nothing, as when a program was not set up."""


class DoctorRecorder(Recorder):
    title = "what the doctor finds in broken, fixed and healthy programs, many times"
    options = ("--only", "--repeat", "--load", "--minutes", "--fresh")
    rows_are = "programs"
    repeats = "runs of each program in each way"
    default_repeat = 20
    file = files.shown(record.PATH)

    SECONDS = 12.0
    """Of a program that is run in both ways."""

    def rows(self) -> Sequence[str]:
        return record.names()

    def seconds(self, request: Request) -> float:
        needed = len(self._due(request)) * self.repeat(request) * self.SECONDS / TOGETHER
        return min(needed, inf if request.minutes is None else 60 * request.minutes)

    def measure(self, request: Request, report_: Progress) -> str:
        until = time.monotonic() + (inf if request.minutes is None else 60 * request.minutes)
        due, before = self._due(request), record.load()
        with loads.all_but_one(request.load) as busy, locate.server() as server:
            if before and request.only and before.busy != busy:
                raise PoolstartError(
                    f"the other programs were looked at with processors kept busy: {before.busy}",
                    f"{'omit' if busy else 'give'} --load, or record all programs",
                )
            provenance = Provenance.here(server.identity, request.command)
            conditions = provenance.conditions(busy=str(busy))
            session = RecordingSession("doctor", conditions, fresh=request.fresh)
            with Supervision() as supervision, ThreadPoolExecutor(TOGETHER) as executor:
                directory = supervision.directory()
                runs = [(row, number) for row in due for number in range(self.repeat(request))]
                # Broken programs come first: if the recording is interrupted, these have more runs.
                runs.sort(key=lambda run: run[1] * (2 if run[0].right else 1))
                if any(row.victim in frameworks.FOUND for row in due):
                    report_("installing the programs that start workers")
                    frameworks.interpreter()
                missing = [run for run in runs if key(*run) not in session.parts]
                report_(f"{len(missing)} of {len(runs)} runs are left")

                def once(run: tuple[VictimFigures, int]) -> dict[str, Any] | None:
                    if time.monotonic() > until:
                        return None
                    report_(f"{run[0].name}, {run[0].variant}, run {run[1] + 1} of {self.repeat(request)}")
                    return look(run[0], server, directory / key(*run), supervision, report_)

                for run, part in zip(missing, executor.map(once, missing), strict=True):
                    if part:
                        session.add(key(*run), part)
        rows = [
            record.add(row, [session.parts[key(row, n)] for n in range(runs) if key(row, n) in session.parts])
            for row in due
            for runs in [self.repeat(request)]
        ]
        measured = [row for row in rows if row.runs]
        if measured:
            record.save(record.merge(before, DoctorRecord(provenance, busy, tuple(measured))))
        if all(key(*run) in session.parts for run in runs):
            session.close()
        return (
            f"{len(measured)} programs, at least {min((row.runs for row in measured), default=0)} runs each"
        )

    def _due(self, request: Request) -> list[VictimFigures]:
        selected = self.selected(request)
        return [row for row in record.programs() if row.name in selected]


def key(row: VictimFigures, number: int) -> str:
    """Of a run in a session."""
    return f"{row.victim} {row.variant} {number}"


def look(
    row: VictimFigures, server: Server, report: Path, supervision: Supervision, report_: Progress
) -> dict[str, Any]:
    """The hazards and certainties that are found in a program: from outside, and as a command.

    None where it is not looked at, or where that came to nothing.
    """
    python: str | Path = frameworks.interpreter() if row.victim in frameworks.FOUND else sys.executable
    url = server.sqlalchemy_url("victim")
    # A healthy or fixed program is looked at with all that there is.
    with_url = row.right or detected.rows()[row.hazard].url

    def outside() -> dict[str, Any]:
        with programs.victim(row.victim, row.variant, url, python, supervision) as pid:
            return programs.doctor(pid, *(["--url", url] if with_url else []))[1]

    def command() -> dict[str, Any]:
        return programs.observed(row.victim, row.variant, url, report, python=python, supervision=supervision)

    def found(way: Callable[[], dict[str, Any]]) -> list[list[str]] | None:
        for _ in range(ATTEMPTS):
            try:
                return pairs(way())
            except (PoolstartError, subprocess.TimeoutExpired) as error:
                report_(f"{row.name}, {row.variant}: {error}")
        return None

    return {
        "outside": found(outside) if row.outside else None,
        "command": found(command) if row.command else None,
    }


def pairs(report: dict[str, Any]) -> list[list[str]]:
    """Hazard and certainty of each finding of a report, without repetitions."""
    return [list(each) for each in dict.fromkeys((f["hazard"], f["certainty"]) for f in report["findings"])]

"""The recorder of counts: `asv run` of the exact benchmarks, for all releases."""

import os
import subprocess
import sys
from pathlib import Path

from harness.console.progress import Progress
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.releases import machine, stored
from harness.releases.repo import releases_of
from harness.system import locks
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError


class ResultsRecorder(Recorder):
    """Records what `asv run` stores in results/, of the releases that `--only` names."""

    file = "results"
    benchmarks = ""
    """A regular expression for the beginning of their names."""

    def provenances(self) -> list[Provenance] | None:
        return stored.provenances(ROOT / self.file, self.benchmarks)

    @property
    def lock(self) -> Path:
        return locks.RESULTS

    def check(self, request: Request) -> None:
        super().check(request)
        releases_of(request.only)

    def prepare(self, request: Request) -> None:
        machine.refuse_another(ROOT / self.file, None)
        super().prepare(request)


class CountsRecorder(ResultsRecorder):
    title = "statements, round trips, modules and calls of all releases, by `asv run`"
    options = ("--only", "--fresh")
    rows_are = "releases, or ranges of them as asv takes them"
    benchmarks = "exact"

    SECONDS = 60
    """Of a release."""

    def seconds(self, request: Request) -> float:
        return len(releases_of(request.only)) * self.SECONDS

    def measure(self, request: Request, report: Progress) -> str:
        skip = [] if request.fresh else ["--skip-existing-successful"]
        for revisions in request.only or ("ALL",):
            report(f"asv run {revisions}")
            single = f"{revisions}^!" if revisions != "ALL" and ".." not in revisions else revisions
            ran = subprocess.run(
                [sys.executable, "-m", "asv", "run", "-b", "^exact", *skip, single],
                cwd=ROOT,
                env={**os.environ, **locks.inherited(locks.RESULTS)},
                check=False,
            )
            if ran.returncode:
                raise PoolstartError("asv did not store all counts", "its output above says why")
        return "the counts of " + (" ".join(request.only) or "all releases")

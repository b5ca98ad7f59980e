"""The recorder of counts: `asv run` of the exact benchmarks, for all releases."""

import subprocess
import sys

from harness.console.progress import Progress
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.releases import stored
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError


class CountsRecorder(Recorder):
    title = "statements, round trips, modules and calls of all releases, by `asv run`"
    options = ("--only", "--anew")
    rows_are = "releases, or ranges of them as asv takes them"
    file = "results"

    RELEASES = 88
    SECONDS = 60
    """Of a release."""

    def provenances(self) -> list[Provenance] | None:
        return stored.provenances(ROOT / self.file, "exact")

    def seconds(self, request: Request) -> float:
        """A release takes about a minute; those that have results are skipped, unless --anew is given."""
        return (len(request.only) or self.RELEASES) * self.SECONDS

    def measure(self, request: Request, report: Progress) -> str:
        skip = [] if request.anew else ["--skip-existing-successful"]
        for revisions in request.only or ("ALL",):
            report(f"asv run {revisions}")
            single = f"{revisions}^!" if revisions != "ALL" and ".." not in revisions else revisions
            ran = subprocess.run(
                [sys.executable, "-m", "asv", "run", "-b", "^exact", *skip, single], cwd=ROOT, check=False
            )
            if ran.returncode:
                raise PoolstartError("asv did not store all counts", "its output above says why")
        return "the counts of " + (" ".join(request.only) or "all releases")

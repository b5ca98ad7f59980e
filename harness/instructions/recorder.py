"""The recorder of instructions: all releases, one worker at a time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.console.progress import Progress
from harness.instructions import causes, table
from harness.instructions.count import Build, count
from harness.instructions.table import InstructionsRow, InstructionsTable
from harness.postgres import locate
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.releases import interpreters, venvs
from harness.releases.catalogue import catalogue
from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

DIRECTORY = ".asv/instructions"
"""The directory of the releases' environments, relative to the checkout."""

DRIVER = "psycopg2-binary"


def interpreter_of(release: str) -> Path:
    """The interpreter of a release, in an environment with nothing but SQLAlchemy and the driver.

    It is installed at the first call. Raises `PoolstartError` if that fails.
    """
    packages = {DRIVER: interpreters.pinned()[DRIVER]}
    return venvs.python_of(release, packages, ROOT / DIRECTORY)


class InstructionsRecorder(Recorder):
    title = "instructions of a spawned worker with each release, by callgrind"
    options = ("--only", "--anew")
    rows_are = "releases"
    file = files.shown(table.PATH)

    SECONDS = 12
    """Of a release."""

    def rows(self) -> Sequence[str]:
        return [release.version for release in catalogue().releases]

    def seconds(self, request: Request) -> float:
        """A release takes about 12 seconds; those on record are skipped, unless --anew is given."""
        return len(self._due(request, table.load())) * self.SECONDS

    def measure(self, request: Request, report: Progress) -> str:
        record = table.load()
        due = self._due(request, record)
        try:
            with locate.server() as server:
                for release, inner in report.each(due, name=str):
                    inner("installing")
                    python = interpreter_of(release)
                    inner("counting")
                    counted = count(server, release=release, python=python)
                    record = checked(record, counted.build, keep=not request.anew or bool(request.only))
                    provenance = Provenance.here(
                        server.identity, request.command, release=release, python=counted.python
                    )
                    record = record.with_row(InstructionsRow.of(counted, provenance))
                    record.save()
                explained = self._explain(request, record, server, report) if record else 0
        except NotApplicable as reason:
            raise PoolstartError(f"n/a: {reason}") from None
        stored = [f"{len(due)} releases"] if due else []
        return ", ".join([*stored, *([f"the causes of {explained} changes"] if explained else [])])

    def _due(self, request: Request, record: InstructionsTable | None) -> list[str]:
        known = {row.release for row in record.rows} if record and not request.anew else set()
        return [release for release in self.selected(request) if release not in known]

    def _explain(self, request: Request, record: InstructionsTable, server: Server, report: Progress) -> int:
        known = {(each.before, each.after) for each in record.causes}
        due = [
            change
            for change in table.changes(record.rows)
            if (change.before.release, change.after.release) not in known
        ]
        # Those that matter most, if the command is interrupted.
        due.sort(key=lambda change: not change.whole)
        for change, inner in report.each(due, name=lambda change: str(change.after.release)):
            releases = change.before.release, change.after.release
            inner("looking for causes")
            found = causes.between(releases, tuple(map(interpreter_of, releases)), server)
            provenance = Provenance.here(server.identity, request.command, release=releases[1])
            record = record.with_causes(replace(found, provenance=provenance))
            record.save()
        return len(due)


def checked(record: InstructionsTable | None, build: Build, *, keep: bool) -> InstructionsTable:
    """The record if its counts can be compared with those of `build`; an empty one without a record.

    Raises `PoolstartError` if they cannot, unless all of them are replaced.
    """
    if record is None:
        return InstructionsTable(build)
    if differences := build.differences(record.build):
        if not keep:
            return InstructionsTable(build)
        raise PoolstartError(
            f"these counts cannot be compared with those on record: {'; '.join(differences)}",
            "count all releases again with --anew, or compare two with `poolstart compare`",
        )
    return record

"""The recorder of instructions: all releases, one worker at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.console.progress import Progress
from harness.instructions import causes, remote, table
from harness.instructions.count import Build
from harness.instructions.place import interpreter_of
from harness.instructions.remote import Counted, count_on
from harness.instructions.table import InstructionsTable
from harness.postgres import locate
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.releases.catalogue import catalogue
from harness.system import files
from harness.system.errors import PoolstartError


class InstructionsRecorder(Recorder):
    title = "instructions of a spawned worker with each release, by callgrind"
    options = ("--only", "--fresh", "--scheduler")
    rows_are = "releases"
    file = files.shown(table.PATH)

    SECONDS = 12
    """Of a release."""

    def rows(self) -> Sequence[str]:
        return [release.version for release in catalogue().releases]

    def seconds(self, request: Request) -> float:
        return len(self._due(request, table.load())) * self.SECONDS

    def measure(self, request: Request, report: Progress) -> str:
        record = table.load()
        due = self._due(request, record)
        try:
            with locate.server() as server:
                for build, row in self._counted(request, record, due, server, report):
                    record = checked(record, build, keep=not request.fresh or bool(request.only)).with_row(
                        row
                    )
                    record.save()
                explained = self._explain(request, record, server, report) if record else 0
        except NotApplicable as reason:
            raise PoolstartError(f"n/a: {reason}") from None
        stored = [f"{len(due)} releases"] if due else []
        return ", ".join([*stored, *([f"the causes of {explained} changes"] if explained else [])])

    def _counted(
        self,
        request: Request,
        record: InstructionsTable | None,
        due: Sequence[str],
        server: Server,
        report: Progress,
    ) -> Iterator[Counted]:
        """The counts of the releases that are due: here, or with a scheduler by its workers."""
        if not due:
            return
        if not request.scheduler:
            for release, inner in report.each(due, name=str):
                inner("counting")
                yield count_on(server, release, request.command)
            return
        with remote.connected(request.scheduler) as client:
            if record and record.rows and not (request.fresh and not request.only):
                reference = record.build, record.rows[-1]
            else:
                report(f"counting {due[0]} here, for the workers to compare themselves with")
                reference = count_on(server, due[0], request.command)
                yield reference
                due = due[1:]
            yield from remote.distribute(client, due, request.command, reference, report)

    def _due(self, request: Request, record: InstructionsTable | None) -> list[str]:
        known = {row.release for row in record.rows} if record and not request.fresh else set()
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
            "count all releases again with --fresh, or compare two with `poolstart compare`",
        )
    return record

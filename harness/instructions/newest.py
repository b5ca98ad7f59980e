"""The first stage of a release that has just appeared: does a worker execute more or fewer instructions?"""

from collections.abc import Callable, Iterable

from harness.instructions import remote, table
from harness.instructions.remote import Counted
from harness.postgres.server import Server


def changed(
    neighbours: Iterable[tuple[str, str]],
    server: Server,
    command: str,
    report: Callable[[str], object],
    count: Callable[[Server, str, str], Counted] = remote.count_on,
) -> list[str]:
    """Of pairs of a release and the one before it, the releases whose instructions changed as a whole.

    Those that are not on record are counted, and recorded if the record is of the same build; otherwise the
    release before is counted here too. Raises `NotApplicable` without valgrind, or `PoolstartError` if a
    worker fails.
    """
    record = table.load()
    found = []
    for before, release in neighbours:
        if record and record.row(release):
            continue
        report(f"counting instructions of {release}")
        build, row = count(server, release, command)
        known = None
        if record and not build.differences(record.build):
            record = record.with_row(row)
            record.save()
            known = record.row(before)
        if known is None:
            report(f"counting instructions of {before}")
            _, known = count(server, before, command)
        found += [change.after.release for change in table.changes([known, row]) if change.whole]
    return found

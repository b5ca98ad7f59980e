"""Counting on several machines: a task of Dask for each release.

Counts agree on machines with the same build. So a worker first shows that it has this build, and counts a
release that is on record; if either differs, it is refused. A worker that dies loses only its task, which
another one repeats.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, cast

from harness.instructions.count import PHASES, Build, count
from harness.instructions.place import interpreter_of
from harness.instructions.table import InstructionsRow
from harness.postgres import locate
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable
from harness.records.provenance import Provenance
from harness.system.errors import PoolstartError

JOIN_DEADLINE_S = 60
"""Seconds to wait for a first worker."""

TOLERATED = 0.001
"""The relative difference of two counts of a release by the same build, in any phase."""

Counted = tuple[Build, InstructionsRow]

Report = Callable[[str], object]


@dataclass(frozen=True)
class Refusal:
    """Why the counts of a worker cannot be compared with those on record."""

    worker: str
    """Its address."""
    reason: str


def count_on(server: Server, release: str, command: str) -> Counted:
    """Count a release on this machine, for the record of a command.

    Raises `NotApplicable` without valgrind, or `PoolstartError` if its worker fails.
    """
    counted = count(server, release=release, python=interpreter_of(release))
    provenance = Provenance.here(server.identity, command, release=release, python=counted.python)
    return counted.build, InstructionsRow.of(counted, provenance)


def count_here(release: str, command: str) -> Counted:
    """The same with the server of this machine."""
    with locate.server() as server:
        return count_on(server, release, command)


Count = Callable[[str, str], Counted]
"""Counts a release for the record of a command, as `count_here` does."""


def difference(reference: Counted, counted: Counted) -> str:
    """How a count of the reference release differs from the one on record; empty if it is the same."""
    (expected, before), (build, after) = reference, counted
    if different := build.differences(expected):
        return "; ".join(different)
    for phase in PHASES:
        ratio = after.instructions(phase) / before.instructions(phase)
        if abs(ratio - 1) > TOLERATED:
            return f"it counts {ratio - 1:+.2%} in {phase} of SQLAlchemy {before.release}"
    return ""


_checking = Lock()
_differences: dict[str, str] = {}
"""What this worker found when it compared itself with a reference, by what it compared itself with."""


def task(release: str, command: str, reference: Counted, count: Count) -> Counted | Refusal:
    """Run in a worker: count a release, after this worker has counted the reference once."""
    from distributed import get_worker

    with _checking:
        if (key := repr(reference)) not in _differences:
            try:
                _differences[key] = difference(reference, count(reference[1].release, command))
            except NotApplicable as missing:
                _differences[key] = str(missing)
        if reason := _differences[key]:
            return Refusal(get_worker().address, reason)
    return count(release, command)


@contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """A client of the scheduler at this address, which has a worker.

    Raises `PoolstartError` if Dask is not installed, or if there is no scheduler or no worker.
    """
    try:
        from distributed import Client
    except ImportError:
        raise PoolstartError(
            "--scheduler needs Dask, which is not installed",
            "run the command with `uv run --extra dask poolstart ...`",
        ) from None
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise PoolstartError(
            f"no scheduler of Dask answers at {scheduler}: {error}", "start one with `dask scheduler`"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=JOIN_DEADLINE_S)
        except TimeoutError:
            raise PoolstartError(
                f"the scheduler at {scheduler} has no worker", f"start one with `dask worker {scheduler}`"
            ) from None
        yield client


def distribute(
    client: Any,
    releases: Sequence[str],
    command: str,
    reference: Counted,
    report: Report,
    count: Count = count_here,
) -> Iterator[Counted]:
    """The counts of the releases, each as soon as it is known.

    Refused workers are reported and retired. Raises `PoolstartError` when all are, and after all others have
    been counted if a release could not be.
    """
    from distributed import as_completed

    def submit(release: str) -> Any:
        return client.submit(task, release, command, reference, count, pure=False)

    due = {submit(release): release for release in releases}
    arriving, failed, left = as_completed(list(due)), [], len(due)
    for future in arriving:
        release = due.pop(future)
        error = future.exception()
        result = None if error else future.result()
        # Otherwise it would be moved to another worker, or counted again, if this worker goes.
        future.release()
        if error:
            left -= 1
            failed.append(f"{release}: {error}")
        elif isinstance(result, Refusal):
            report(f"refused the worker {result.worker}: {result.reason}")
            client.retire_workers([result.worker])
            if not client.scheduler_info()["workers"]:
                raise PoolstartError(
                    f"all workers are refused, the last one because {result.reason}",
                    "give them the build of the record, or count all releases with --fresh",
                )
            again = submit(release)
            due[again] = release
            arriving.add(again)
        else:
            left -= 1
            report(f"counted {release}, {left} left")
            yield cast(Counted, result)
    if failed:
        raise PoolstartError(
            f"{len(failed)} releases were not counted, the first is {failed[0]}", "run it again"
        )

"""From the reports of observed processes to findings. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from harness.doctor import fixes
from harness.doctor.evidence.inside import Reported
from harness.doctor.findings import Certainty, Finding


def judge(reports: Sequence[Reported], framework: str = "") -> list[Finding]:
    """The findings, the most certain first. `framework` is the program that starts the workers, if known."""
    found = [
        *_lost(reports, framework),
        *_used(reports, framework),
        *_closed(reports, framework),
        *_replaced(reports),
        *_held(reports),
        *_background(reports),
        *_engines(reports),
    ]
    order = list(Certainty)
    return sorted(found, key=lambda finding: order.index(finding.certainty))


def _by_opening(reports: Iterable[Reported], event: str) -> Iterator[list[Reported]]:
    """The reports of an event, those about connections that were opened at one place together."""
    groups: dict[tuple[str, int], list[Reported]] = {}
    for report in reports:
        if report.event == event:
            groups.setdefault((report.opened, report.opener), []).append(report)
    yield from groups.values()


def _used(reports: Sequence[Reported], framework: str) -> Iterator[Finding]:
    for group in _by_opening(reports, "used"):
        first = group[0]
        pids = list(dict.fromkeys(report.pid for report in group))
        yield Finding(
            "shared_socket",
            Certainty.CERTAIN,
            f"{_workers(pids)} a connection that process {first.opener} had opened before it forked",
            (
                f"opened      {first.opened}, in {first.opener}; engine made at {first.fields['engine']}",
                *_fork(reports, first.pid),
                *(
                    f"used        {place}"
                    for place in list(dict.fromkeys(f"{r.place}, in {r.pid}" for r in group))[:3]
                ),
            ),
            fixes.for_framework(framework),
            "Each reads answers that belong to the other: wrong rows, errors in the protocol, or a wait"
            " without end.",
        )


def _workers(pids: list[int]) -> str:
    return f"process {pids[0]} uses" if len(pids) == 1 else f"{len(pids)} processes use"


def _fork(reports: Iterable[Reported], pid: int) -> Iterator[str]:
    """Where a process was forked: the latest fork of its parent before it reported itself."""
    known = list(reports)
    start = next((report for report in known if report.event == "forked" and report.pid == pid), None)
    if not start:
        return
    parent = start.fields["parent"]
    forks = [r for r in known if r.event == "fork" and r.pid == parent and r.time <= start.time]
    if forks:
        yield f"forked      {forks[-1].place}, in {parent}"


def _lost(reports: Sequence[Reported], framework: str) -> Iterator[Finding]:
    for group in _by_opening([r for r in reports if r.fields.get("transaction")], "returned"):
        first = group[0]
        yield Finding(
            "lost_transaction",
            Certainty.CERTAIN,
            f"process {first.pid} rolled back the transaction of process {first.opener}",
            (
                f"opened      {first.opened}, in {first.opener}",
                *_fork(reports, first.pid),
                f"ended       {first.place}, in {first.pid}",
            ),
            "session.commit()   # in the parent, before it starts workers",
            "The parent commits nothing, without an error.",
        )


def _closed(reports: Sequence[Reported], framework: str) -> Iterator[Finding]:
    for group in _by_opening(reports, "closed"):
        first = group[0]
        yield Finding(
            "parent_closed",
            Certainty.CERTAIN,
            f"process {first.pid} closed a connection of process {first.opener}",
            (
                f"opened      {first.opened}, in {first.opener}",
                *_fork(reports, first.pid),
                f"closed      {first.place}, in {first.pid}",
            ),
            fixes.for_framework(framework),
            "The server ends the session, and the parent's next query fails.",
        )


def _replaced(reports: Sequence[Reported]) -> Iterator[Finding]:
    for group in _by_opening(reports, "replaced"):
        first = group[0]
        yield Finding(
            "reused_descriptor",
            Certainty.CERTAIN,
            f"process {first.pid} uses a connection whose descriptor is another file by now",
            (f"opened      {first.opened}", f"used        {first.place}"),
            "engine.dispose(close=False)   # after the descriptors were closed, before the first query",
            "Queries are written to a file or a socket that has nothing to do with the database.",
        )


def _held(reports: Sequence[Reported]) -> Iterator[Finding]:
    """Locks that another thread held at a fork: once for each place."""
    seen = set()
    for report in reports:
        for lock in report.fields.get("locks", ()) if report.event == "fork" else ():
            if (lock, report.place) in seen:
                continue
            seen.add((lock, report.place))
            hazard = "import_lock" if lock.startswith("the import") else "pool_lock"
            threads = report.fields.get("threads", ())
            yield Finding(
                hazard,
                Certainty.RISK,
                f"process {report.pid} forked while another thread held {lock}",
                (f"forked      {report.place}", *(f"thread      {place}" for place in threads[:3])),
                fixes.lock(hazard),
                "A worker that needs it waits until it is killed.",
            )


def _background(reports: Sequence[Reported]) -> Iterator[Finding]:
    """Threads that the worker lacks: once for each library."""
    seen: set[str] = set()
    for report in reports:
        for library in report.fields.get("background", ()):
            if library in seen:
                continue
            seen.add(library)
            yield Finding(
                "missing_thread",
                Certainty.RISK,
                f"a thread of {library} exists only in process {report.pid}, which forked",
                (f"forked      {report.place}",),
                "start it in each worker: open the pool, start the scheduler or the listener after the fork",
                "Work that a worker leaves to it is never done, without an error.",
            )


def _engines(reports: Sequence[Reported]) -> Iterator[Finding]:
    for report in reports:
        if report.event == "engines":
            yield Finding(
                "max_connections",
                Certainty.RISK,
                f"process {report.pid} has made {report.fields['count']} engines at one place",
                (f"made        {report.place}",),
                "engine = create_engine(URL)   # once for each process, in a module, not in a task",
                "Each keeps its connections until it is collected, and the server refuses further ones.",
            )

"""From the reports of observed processes to findings. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from harness.doctor import fixes
from harness.doctor.evidence.inside import Reported, fork_of, starter
from harness.doctor.findings import Certainty, Finding
from harness.doctor.judge import engines, errors, processes


def judge(reports: Sequence[Reported], framework: str = "") -> list[Finding]:
    """The findings, the most certain first. `framework` is the program that starts the workers, if known."""
    found = [
        *_lost(reports, framework),
        *_used(reports, framework),
        *_sessions(reports, framework),
        *_closed(reports, framework),
        *_replaced(reports),
        *_pools(reports, framework),
        *processes.judge(reports),
        *errors.judge(reports),
        *engines.judge(reports),
        *_held(reports),
        *_background(reports, framework),
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
    for group in _by_opening([r for r in reports if not r.fields.get("held")], "used"):
        first = group[0]
        pids = list(dict.fromkeys(report.pid for report in group))
        yield Finding(
            "shared_socket",
            Certainty.CERTAIN,
            f"{_workers(pids)} a connection that process {first.opener} had opened before it forked",
            (
                f"opened      {first.opened}, in {first.opener}; engine made at {first.fields['engine']}",
                *_fork(reports, first.pid),
                *_missed(reports, group),
                *(
                    f"used        {place}"
                    for place in list(dict.fromkeys(f"{r.place}, in {r.pid}" for r in group))[:3]
                ),
            ),
            _own_connections(reports, first, framework),
            "Each reads the other's answers: wrong rows, errors of the protocol, or a wait without end.",
        )


def _sessions(reports: Sequence[Reported], framework: str) -> Iterator[Finding]:
    """Sessions, or connections of an engine, that were in use at a fork and are used in the worker."""
    for group in _by_opening([r for r in reports if r.fields.get("held")], "used"):
        first = group[0]
        pids = list(dict.fromkeys(report.pid for report in group))
        yield Finding(
            "inherited_session",
            Certainty.CERTAIN,
            f"{_workers(pids)} a session or connection that process {first.opener} had in use when it forked",
            (
                f"opened      {first.opened}, in {first.opener}; engine made at {first.fields['engine']}",
                *_fork(reports, first.pid),
                f"used        {first.place}, in {first.pid}",
            ),
            "session.close()  # in the parent, before it forks\n"
            + _own_connections(reports, first, framework),
            "Both are in one transaction: what one commits or rolls back, the other loses.",
        )


def _own_connections(reports: Sequence[Reported], use: Reported, framework: str) -> str:
    by = starter(reports, use.pid) or framework
    return fixes.own_connections(by, use.fields.get("engine", ""), use.fields.get("name", ""))


def _workers(pids: list[int]) -> str:
    return f"process {pids[0]} uses" if len(pids) == 1 else f"{len(pids)} processes use"


def _fork(reports: Iterable[Reported], pid: int) -> Iterator[str]:
    """Where a process was forked."""
    if fork := fork_of(reports, pid):
        yield f"forked      {fork.place}, in {fork.pid}"


def _missed(reports: Iterable[Reported], group: Sequence[Reported]) -> Iterator[str]:
    """Other engines that a worker has treated."""
    pids = {report.pid for report in group}
    treated = [report for report in reports if report.event == "disposed" and report.pid in pids]
    if treated:
        yield f"missed      the worker disposed of another engine at {treated[0].place}, and not of this one"


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
            fixes.COMMIT,
            "The parent commits nothing, without an error.",
        )


def _closed(reports: Sequence[Reported], framework: str) -> Iterator[Finding]:
    for group in _by_opening(reports, "closed"):
        first = group[0]
        # A use names the engine, which is closed by now.
        use = next((r for r in reports if r.event == "used" and r.opened == first.opened), None)
        yield Finding(
            "parent_closed",
            Certainty.CERTAIN,
            f"process {first.pid} closed a connection of process {first.opener}",
            (
                f"opened      {first.opened}, in {first.opener}",
                *_fork(reports, first.pid),
                f"closed      {first.place}, in {first.pid}",
            ),
            _own_connections(reports, use or first, framework),
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
            "engine.dispose(close=False)  # inside, before the first query",
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
                fixes.lock(hazard, report.fields.get("by", "")),
                "A worker that needs it waits until it is killed.",
            )


def _pools(reports: Sequence[Reported], framework: str) -> Iterator[Finding]:
    """Pools of psycopg_pool that are used in a worker without their threads."""
    for group in _by_opening(reports, "pool_used"):
        first = group[0]
        pids = list(dict.fromkeys(report.pid for report in group))
        yield Finding(
            "missing_thread",
            Certainty.CERTAIN,
            f"{_workers(pids)} a psycopg_pool whose threads are in process {first.opener}, which opened it",
            (
                f"opened      {first.opened}, in {first.opener}",
                *_fork(reports, first.pid),
                f"used        {first.place}, in {first.pid}",
            ),
            fixes.new_pool(starter(reports, first.pid) or framework, first.fields.get("name", "")),
            "The worker shares the parent's connections, and waits for others that are never made.",
        )


def _background(reports: Sequence[Reported], framework: str) -> Iterator[Finding]:
    """Threads that the worker lacks: once for each library."""
    seen = {"psycopg_pool"} if any(r.event in ("pool_used", "pool_opened") for r in reports) else set()
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
                fixes.background(library, report.fields.get("by", "") or framework),
                "Work that a worker leaves to it is never done, without an error.",
            )


def _engines(reports: Sequence[Reported]) -> Iterator[Finding]:
    """Engines that keep connections: the last count for each place."""
    last = {report.place: report for report in reports if report.event == "engines"}
    for report in last.values():
        yield Finding(
            "max_connections",
            Certainty.RISK,
            f"process {report.pid} has made {report.fields['count']} engines at one place, and"
            f" {report.fields['keeping']} of them keep connections",
            (f"made        {report.place}",),
            fixes.one_engine(starter(reports, report.pid)),
            "A smaller pool changes nothing: the server refuses further connections.",
        )

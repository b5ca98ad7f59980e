"""From evidence to findings. Pure: the same evidence gives the same findings.

A worker that was treated as it should holds its parent's sockets as well, so holding is never held against
it. Only the use of a connection counts that the process has inherited and that another process still holds.
"""

from collections.abc import Iterator

from harness.doctor import fixes
from harness.doctor.evidence.evidence import TreeEvidence
from harness.doctor.evidence.inside import opened
from harness.doctor.evidence.movements import CLEAN, Use
from harness.doctor.evidence.sockets import Connection
from harness.doctor.evidence.stacks import Stack
from harness.doctor.findings import Certainty, Finding
from harness.doctor.judge import server, sessions

SHOWN = 2
"""Connections, and users of each, that are shown."""

MANY = 6
"""Processes that are named, at most."""

SEVERAL = 2
"""Users of a connection that none of them has opened."""

POOL_THREADS = 3
"""Threads of a process with a psycopg_pool, at least: the main one, one that connects, one that schedules."""

PATIENCE = 1.0
"""Seconds of endless waiting after which an answer counts as lost, if the server has none to give."""

COPIED = 24 * 1024 * 1024
"""Bytes that a worker copies while it is watched, from which on it is reported. Up to 16 MiB are the objects
of SQLAlchemy, whose references each worker counts."""


def judge(evidence: TreeEvidence) -> list[Finding]:
    """The findings, the most certain first."""
    found = [
        *_shared(evidence),
        *_locked(evidence),
        *_copied(evidence),
        *server.judge(evidence),
        *sessions.judge(evidence),
    ]
    order = list(Certainty)
    return sorted(found, key=lambda finding: order.index(finding.certainty))


def _shared(evidence: TreeEvidence) -> Iterator[Finding]:
    """Connections that are used by a process that inherited them."""
    groups: dict[tuple[str, int], list[tuple[Connection, int, Certainty]]] = {}
    for connection in evidence.connections:
        if connection.inode not in evidence.uses or len(connection.holders) < SEVERAL:
            continue
        use = evidence.uses[connection.inode]
        openers = [pid for pid in connection.holders if not evidence.inherited(connection, pid)]
        users = [pid for pid in connection.holders if pid not in openers and use.shows(pid)]
        if len(openers) != 1:
            # The process that opened it has closed it, or has ended: one user alone may own it.
            users = [pid for pid in connection.holders if use.shows(pid)]
            if len(users) < SEVERAL:
                continue
            openers = []
        for pid in users:
            hazard, certainty = _kind(evidence, connection, use, pid)
            groups.setdefault((hazard, openers[0] if openers else 0), []).append((connection, pid, certainty))
    for (hazard, opener), uses in groups.items():
        connections = list({connection.inode: connection for connection, *_ in uses}.values())
        certainty = max((certainty for *_, certainty in uses), key=list(Certainty).index)
        users = list(dict.fromkeys(pid for _, pid, _ in uses))
        yield Finding(
            hazard,
            certainty,
            _sentence(hazard, users, opener, len(connections)),
            (
                *(line for each in connections[:SHOWN] for line in _how(evidence, each, users)),
                *_threads(evidence, opener),
            ),
            _fix(evidence, opener, connections[0], users[0]),
            "Each reads the other's answers: wrong rows, errors of the protocol, or a wait without end."
            if hazard == "shared_socket"
            else "It waits until it is killed.",
            (*users, opener),
        )


def _fix(evidence: TreeEvidence, opener: int, connection: Connection, pid: int) -> str:
    _, library, _ = opened(evidence.reports).get(connection.inode, ("", "", 0))
    if library in fixes.DRIVERS:
        return fixes.opened_by(library)
    process = evidence.processes.get(opener)
    if process and "forkserver" in process.command:
        return fixes.PRELOADED
    by, pool = fixes.started_by(evidence, pid), _pool(evidence, opener)
    if library == "psycopg_pool" or pool:
        return fixes.new_pool(by)
    return fixes.either_pool(by) if pool is None and not library else fixes.own_connections(by)


def _pool(evidence: TreeEvidence, opener: int) -> bool | None:
    """Whether a process has a pool of psycopg_pool, which works by threads; None if that is possible."""
    process = evidence.processes.get(opener)
    if not process or process.threads < POOL_THREADS or opener not in evidence.psycopg:
        return False
    if stacks := evidence.stacks.get(opener):
        return any("/psycopg_pool/" in frame.file for stack in stacks for frame in stack.frames)
    return None


def _threads(evidence: TreeEvidence, opener: int) -> Iterator[str]:
    """How to find out about a pool of psycopg_pool."""
    if _pool(evidence, opener) is None and not evidence.reports:
        threads = evidence.processes[opener].threads
        yield f"threads     {opener} has {threads}, and a fork copies one; a psycopg_pool needs its threads:"
        yield "            --stacks shows whether there is one, and so does poolstart doctor -- COMMAND"


def _kind(evidence: TreeEvidence, connection: Connection, use: Use, pid: int) -> tuple[str, Certainty]:
    """The hazard, and how certain it is."""
    if use.endless.get(pid, 0) >= PATIENCE and not use.by.get(pid) and _answered(evidence, connection):
        return "interleaved", Certainty.PROVEN
    if evidence.unreadable:
        return "shared_socket", Certainty.RISK
    return "shared_socket", Certainty.CERTAIN if use.waited.get(pid, 0) >= CLEAN else Certainty.PROVEN


def _answered(evidence: TreeEvidence, connection: Connection) -> bool:
    """Whether the server has nothing to answer."""
    if state := _state(evidence, connection):
        return state.startswith("idle")
    return False


def _state(evidence: TreeEvidence, connection: Connection) -> str:
    """The session's state: by the server's own view, or by the title of its process."""
    session = evidence.server.of(connection) if evidence.server else None
    if session and session.state:
        return session.state
    title = evidence.titles.get(connection.inode, "")
    return title[title.index("idle") :].strip() if " idle" in title else ""


def _sentence(hazard: str, users: list[int], opener: int, count: int) -> str:
    who = _processes(users)
    what = "a connection" if count == 1 else f"{count} connections"
    if hazard == "interleaved":
        return f"{who} waits for an answer that has been read by another process"
    if opener:
        verb = "uses" if len(users) == 1 else "use"
        return f"{who} {verb} {what} of process {opener}, which forked {'it' if len(users) == 1 else 'them'}"
    one = "one connection" if count == 1 else what
    return f"{who} use {one}; the process that opened {'it' if count == 1 else 'them'} is not known"


def _processes(pids: list[int]) -> str:
    if len(pids) == 1:
        return f"process {pids[0]}"
    if len(pids) > MANY:
        return f"{len(pids)} processes"
    return f"processes {', '.join(map(str, pids[:-1]))} and {pids[-1]}"


def _how(evidence: TreeEvidence, connection: Connection, users: list[int]) -> Iterator[str]:
    use = evidence.uses[connection.inode]
    where = connection.address or f"Unix socket {connection.server}"
    holders = [
        *map(str, list(connection.holders)[:MANY]),
        *(["others"] if len(connection.holders) > MANY else []),
    ]
    yield f"connection  {where} ({connection.server}), held by {', '.join(holders)}"
    if reported := opened(evidence.reports).get(connection.inode):
        where, library, opener = reported
        yield f"opened      {where}, by {library}, in {opener}"
    for pid in [pid for pid in users if use.shows(pid)][:SHOWN]:
        yield from _use(evidence, connection, use, pid)


def _use(evidence: TreeEvidence, connection: Connection, use: Use, pid: int) -> Iterator[str]:
    if use.by.get(pid) and not use.unseen:
        yield f"used        bytes were sent in {use.by[pid]} intervals in which only {pid} of these ran"
    if use.waited.get(pid):
        yield f"waits       {pid} was in a call that reads from it, at {use.waited[pid]} looks"
    if use.endless.get(pid, 0) >= PATIENCE:
        state = _state(evidence, connection) or "unknown"
        yield f"            without a limit for {use.endless[pid]:.0f} s, nothing is unread; session: {state}"
    yield from _places(evidence, pid)


def _places(evidence: TreeEvidence, pid: int) -> Iterator[str]:
    main = _main(evidence, pid)
    if main and main.here:
        yield f"now at      {main.here.place}, in {pid}"
    if main and main.fork:
        yield f"forked at   {main.fork.place}"


def _main(evidence: TreeEvidence, pid: int) -> Stack | None:
    dumped = evidence.stacks.get(pid, ())
    return next((stack for stack in dumped if stack.main), next(iter(dumped), None))


def _locked(evidence: TreeEvidence) -> Iterator[Finding]:
    """Forked processes in which nothing can run again."""
    for pid in evidence.locked:
        if pid not in evidence.copies or not evidence.processes[pid].readable:
            continue
        main = _main(evidence, pid)
        hazard, certain = _lock(main) if main else ("inherited_lock", False)
        if not hazard:
            continue
        threads = evidence.processes[pid].threads
        waiting = "its only thread waits" if threads == 1 else f"all its {threads} threads wait"
        yield Finding(
            hazard,
            Certainty.PROVEN if certain else Certainty.RISK,
            f"process {pid} {'can never go on' if certain else 'probably never goes on'}: {waiting} for a"
            " lock in its own memory",
            (
                "waits       without a limit for a lock that no other process sees,"
                f" all of the {evidence.watched:g} s",
                *_places(evidence, pid),
                *(
                    ()
                    if certain
                    else ("            a process that waits for a signal looks the same: add --stacks",)
                ),
            ),
            fixes.lock(hazard, fixes.started_by(evidence, pid)),
            "It waits until it is killed.",
        )


def _lock(stack: Stack) -> tuple[str, bool]:
    """The hazard that a stack shows, and whether it proves that the process never goes on.

    Empty if the process waits for something that another thread or a signal gives it.
    """
    if stack.ends_with("importlib._bootstrap>", "acquire", "__enter__", "_acquire"):
        return "import_lock", True
    if stack.ends_with("sqlalchemy/util/queue.py") and not stack.ends_with("threading.py", "wait"):
        return "pool_lock", True
    if stack.ends_with("threading.py", "wait", "_wait_for_tstate_lock", "join") or stack.ends_with(
        "queue.py", "get"
    ):
        return "", False
    if stack.ends_with("polars/") or "polars" in (stack.frames[0].file if stack.frames else ""):
        return "native_threads", True
    return "inherited_lock", True


def _copied(evidence: TreeEvidence) -> Iterator[Finding]:
    for pid, (begin, end) in evidence.pages.items():
        grown, steady = end.own - begin.own, abs(end.resident - begin.resident)
        if grown >= COPIED and begin.shared - end.shared >= grown / 2 and steady < grown / 2:
            yield Finding(
                "copied_frame",
                Certainty.FACT,
                f"process {pid} copies what it inherited: {grown / 2**20:.0f} MiB in {evidence.watched:g} s",
                (f"memory      {end.shared / 2**20:.0f} MiB are still shared",),
                "gc.collect(); gc.freeze()   # in the parent, before it forks",
                "Each worker ends up with a copy of its own.",
            )

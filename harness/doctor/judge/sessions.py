"""Findings about sessions that outlived the process that opened them, or their end. Pure."""

from collections.abc import Iterator

from harness.doctor import fixes
from harness.doctor.evidence.evidence import TreeEvidence
from harness.doctor.evidence.sockets import Connection
from harness.doctor.evidence.tree import Process
from harness.doctor.findings import Certainty, Finding

SLACK = 0.1
"""Seconds by which two times of the kernel may differ: some are counted in clock ticks."""

AT_ONCE = 0.02
"""Seconds after its start in which no program connects, but a forked process may."""

OLDER = 1.0
"""Seconds by which a session must be older than the process, by the server's clock."""

SILENT = 64
"""Bytes that the end of a connection alone leaves unread, with or without TLS; a message is longer."""


def judge(evidence: TreeEvidence) -> Iterator[Finding]:
    for connection in evidence.connections:
        counters = evidence.counters.get(connection.inode)
        if len(connection.holders) == 1 and not evidence.hidden and not (counters and counters.ended):
            [pid] = connection.holders
            if process := evidence.processes.get(pid):
                yield from _orphaned(evidence, connection, process)
    yield from _ended(evidence)


def _idle(evidence: TreeEvidence, connection: Connection) -> float | None:
    """Seconds since something was sent, by the kernel or else by the server; None if unknown."""
    if counters := evidence.counters.get(connection.inode):
        return counters.idle
    session = evidence.server.of(connection) if evidence.server else None
    return session.unchanged if session else None


def _older(evidence: TreeEvidence, connection: Connection, process: Process) -> bool | None:
    """Whether a connection was there before the process began; None if unknown."""
    age = evidence.boot - process.started
    counters = evidence.counters.get(connection.inode)
    if counters and counters.idle > age + SLACK:
        return True
    if began := evidence.began.get(connection.inode):
        return began < process.started
    if session := evidence.server.of(connection) if evidence.server else None:
        return True if session.age > age + OLDER else None if session.age > age else False
    return None


def _orphaned(evidence: TreeEvidence, connection: Connection, process: Process) -> Iterator[Finding]:
    """A session of a process that has ended, if the only process that holds it does not use it."""
    idle, older = _idle(evidence, connection), _older(evidence, connection, process)
    age = evidence.boot - process.started
    if older is False or idle is None or idle < evidence.watched:
        # It is the process's own, or became that: a daemon uses what was opened before it began.
        return
    left = process.ppid == 1 and 1 not in evidence.processes
    if not older and not (left and idle > age - AT_ONCE):
        return
    own = any(
        list(each.holders) == [process.pid] and _older(evidence, each, process) is False
        for each in evidence.connections
    )
    certain = older and idle > age + (-SLACK if own else SLACK)
    yield Finding(
        "orphaned_backend",
        Certainty.CERTAIN if certain else Certainty.RISK,
        f"process {process.pid} {'keeps' if older else 'may keep'} the session of a process that has ended",
        tuple(_times(evidence, connection, process, idle)),
        fixes.orphan(fixes.started_by(evidence, process.pid)),
        "The session keeps its locks and its place in max_connections until this process ends.",
    )


def _times(evidence: TreeEvidence, connection: Connection, process: Process, idle: float) -> Iterator[str]:
    """When process and session began, and how long nothing was sent."""
    pid, now = process.pid, evidence.boot
    where = connection.address or f"Unix socket {connection.server}"
    yield f"connection  {where} ({connection.server}), held by {pid} alone"
    yield f"began       process {pid} {now - process.started:.1f} s ago"
    if began := evidence.began.get(connection.inode):
        yield f"            its session {now - began:.1f} s ago: the server's process {connection.backend}"
    elif session := evidence.server.of(connection) if evidence.server else None:
        yield f"            its session {session.age:.1f} s ago: the server's process {session.backend}"
    yield f"sent        nothing for {idle:.1f} s"
    if connection.inode not in evidence.began and not evidence.server:
        yield "            --url also shows when the session began"


def _ended(evidence: TreeEvidence) -> Iterator[Finding]:
    """Connections that were ended from the other side, which a process has not noticed."""
    groups: dict[tuple[int, bool], list[Connection]] = {}
    for connection in evidence.connections:
        counters = evidence.counters.get(connection.inode)
        holders = [pid for pid in connection.holders if pid in evidence.processes]
        if counters and counters.ended and holders:
            opener = min(holders, key=lambda pid: evidence.processes[pid].started)
            groups.setdefault((opener, counters.unread > SILENT), []).append(connection)
    for (pid, said), connections in groups.items():
        what = "a connection" if len(connections) == 1 else f"{len(connections)} connections"
        lines = tuple(_unread(evidence, each) for each in connections[:3])
        if said or pid not in {*evidence.copies, *evidence.copies.values()}:
            yield Finding(
                "idle_cut",
                Certainty.RISK,
                f"{what} of process {pid} {'was' if len(connections) == 1 else 'were'} ended by the server,"
                " or on the way to it, and the process has not noticed",
                lines,
                "engine = create_engine(URL, pool_pre_ping=True, pool_recycle=300)",
                "The next query over it fails, unless the engine has pool_pre_ping.",
            )
        else:
            yield Finding(
                "parent_closed",
                Certainty.RISK,
                f"{what} of process {pid} {'was' if len(connections) == 1 else 'were'} ended without a"
                " message of the server, as if a process forked from it had closed its copy",
                lines,
                fixes.own_connections(fixes.started_by(evidence, pid)),
                "The parent's next query fails.",
            )


def _unread(evidence: TreeEvidence, connection: Connection) -> str:
    unread = evidence.counters[connection.inode].unread
    what = f"a message of {unread} bytes" if unread > SILENT else "no message"
    holders = ", ".join(map(str, connection.holders))
    return f"connection  {connection.address} ({connection.server}), held by {holders}; {what} is unread"

"""Findings by what the server says, or by the titles of its processes. Pure."""

from collections.abc import Iterator

from harness.doctor import fixes
from harness.doctor.evidence.evidence import TreeEvidence
from harness.doctor.evidence.inside import starter
from harness.doctor.findings import Certainty, Finding

OLDER = 1.0
"""Seconds by which a session must be older than the process: the clocks of server and kernel differ."""


def judge(evidence: TreeEvidence) -> Iterator[Finding]:
    """Sessions that wait for each other, that outlived their process, and all together."""
    yield from _blocked(evidence)
    yield from _orphaned(evidence)
    yield from _limit(evidence)


def _blocked(evidence: TreeEvidence) -> Iterator[Finding]:
    """Workers that wait for a transaction of the process that waits for them."""
    if not evidence.server:
        yield from _probably_blocked(evidence)
        return
    owners = {c.backend: list(c.holders) for c in evidence.connections if c.backend}
    ports = {c.address.port: list(c.holders) for c in evidence.connections if c.address}
    sessions = {session.backend: session for session in evidence.server.sessions}

    def holders(backend: int) -> list[int]:
        session = sessions.get(backend)
        return owners.get(backend) or (ports.get(session.port, []) if session else [])

    for session in evidence.server.sessions:
        for blocker in session.blocked_by:
            waiting, blocking = holders(session.backend), holders(blocker)
            related = [
                (pid, parent) for pid in waiting for parent in blocking if parent in evidence.starters(pid)
            ]
            if not related or set(waiting) & set(blocking):
                continue
            pid, parent = related[-1]
            open_for = sessions[blocker].transaction if blocker in sessions else 0.0
            yield Finding(
                "uncommitted_parent",
                Certainty.CERTAIN,
                f"process {pid} waits for a transaction of process {parent}, which started it",
                (
                    f"server      backend {session.backend} waits for backend {blocker}"
                    f" ({sessions[blocker].state if blocker in sessions else 'ended'},"
                    f" its transaction is {open_for:.0f} s old)",
                ),
                fixes.COMMIT,
                "If the parent waits for the worker, both wait for ever.",
            )


def _probably_blocked(evidence: TreeEvidence) -> Iterator[Finding]:
    """The same, by the titles of the server's processes, which do not say for whom one waits."""

    def sole(state: str) -> Iterator[int]:
        for connection in evidence.connections:
            if evidence.titles.get(connection.inode, "").endswith(state) and len(connection.holders) == 1:
                yield from connection.holders

    parents = list(sole("idle in transaction"))
    for pid in sole(" waiting"):
        if parent := next((each for each in evidence.starters(pid) if each in parents), 0):
            yield Finding(
                "uncommitted_parent",
                Certainty.RISK,
                f"process {pid} waits for a lock in the server, and process {parent}, which started it,"
                " has a transaction open",
                ("server      --url names the session for which it waits",),
                fixes.COMMIT,
                "If the parent waits for the worker, both wait for ever.",
            )


def _orphaned(evidence: TreeEvidence) -> Iterator[Finding]:
    """Sessions that are older than the only process that holds them."""
    if not evidence.server:
        return
    for connection in evidence.connections:
        if len(connection.holders) != 1 or not connection.address:
            continue
        [pid] = connection.holders
        session = evidence.server.of_port(connection.address.port)
        process = evidence.processes.get(pid)
        if session and process and session.age > evidence.boot - process.started + OLDER:
            yield Finding(
                "orphaned_backend",
                Certainty.CERTAIN,
                f"process {pid} keeps a session open that a process which has ended had opened",
                (
                    f"server      backend {session.backend} began {session.age:.0f} s ago,"
                    f" process {pid} {evidence.boot - process.started:.0f} s ago",
                ),
                fixes.orphan(starter(evidence.reports, pid)),
                "The session keeps its locks and its place in max_connections until this process ends.",
            )


def _limit(evidence: TreeEvidence) -> Iterator[Finding]:
    if not evidence.server or not evidence.server.max_connections:
        return
    count, limit = len(evidence.connections), evidence.server.max_connections
    if count >= 0.8 * limit:
        yield Finding(
            "max_connections",
            Certainty.FACT,
            f"these processes hold {count} of the {limit} connections that the server accepts",
            (),
            "create_engine(URL, pool_size=2, max_overflow=0)  # or PgBouncer",
            "Further connections are refused.",
        )

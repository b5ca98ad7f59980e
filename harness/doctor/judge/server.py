"""Findings by what the server says, or by the titles of its processes. Pure."""

from collections.abc import Iterator

from harness.doctor import fixes
from harness.doctor.evidence.evidence import TreeEvidence
from harness.doctor.findings import Certainty, Finding

PATIENCE = 1.0
"""Seconds from which on a wait for a lock is reported."""


def judge(evidence: TreeEvidence) -> Iterator[Finding]:
    """Sessions that wait for each other, and all together."""
    yield from _blocked(evidence)
    yield from _limit(evidence)


def _blocked(evidence: TreeEvidence) -> Iterator[Finding]:
    """Workers that wait for a transaction of the process that waits for them."""
    view = evidence.server
    if not view:
        yield from _probably_blocked(evidence)
        return
    holders: dict[int, list[int]] = {}
    for connection in evidence.connections:
        if found := view.of(connection):
            holders[found.backend] = list(connection.holders)
    for session in view.sessions:
        for blocker in filter(None, map(view.of_backend, session.blocked_by)):
            waiting, blocking = holders.get(session.backend, []), holders.get(blocker.backend, [])
            related = [
                (pid, parent) for pid in waiting for parent in blocking if parent in evidence.starters(pid)
            ]
            # A short wait is how locks work.
            if not related or set(waiting) & set(blocking) or session.unchanged < PATIENCE:
                continue
            pid, parent = related[-1]
            all_the_time = min(session.unchanged, blocker.unchanged) >= evidence.watched
            yield Finding(
                "uncommitted_parent",
                Certainty.CERTAIN
                if all_the_time and blocker.state.startswith("idle in transaction")
                else Certainty.RISK,
                f"process {pid} waits for a transaction of process {parent}, which started it",
                (
                    f"server      backend {session.backend} waits for backend {blocker.backend}:"
                    f" {blocker.state or 'state unknown'}, in a transaction for {blocker.transaction:.0f} s",
                ),
                fixes.COMMIT,
                "If the parent waits for the worker, both wait for ever.",
            )


def _probably_blocked(evidence: TreeEvidence) -> Iterator[Finding]:
    """The same, by the titles of the server's processes, which do not say what a process waits for."""

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


def _limit(evidence: TreeEvidence) -> Iterator[Finding]:
    if not evidence.server or not evidence.server.max_connections:
        return
    count, limit = sum(not each.ended for each in evidence.connections), evidence.server.max_connections
    if count >= 0.8 * limit:
        yield Finding(
            "max_connections",
            Certainty.FACT,
            f"these processes hold {count} of the {limit} connections that the server accepts",
            (),
            "create_engine(URL, pool_size=2, max_overflow=0)  # or PgBouncer",
            "Further connections are refused.",
        )

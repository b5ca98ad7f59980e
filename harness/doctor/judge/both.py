"""What reports from inside and a look from outside say together. Pure."""

from collections.abc import Iterable, Sequence

from harness.doctor import fixes
from harness.doctor.evidence.inside import Reported, fork_of, opened
from harness.doctor.evidence.lifetimes import Survivor
from harness.doctor.findings import Certainty, Finding


def orphaned(reports: Sequence[Reported], survivors: Iterable[Survivor]) -> list[Finding]:
    """Sessions of processes that have ended: one finding for each process that keeps them."""
    places = opened(reports)
    found = {}
    for survivor in survivors:
        own = any(
            report.pid == survivor.pid and report.event in ("disposed", "connected") for report in reports
        )
        fork = fork_of(reports, survivor.pid)
        found[survivor.pid] = Finding(
            "orphaned_backend",
            # A worker that has done neither may still be about to use it.
            Certainty.CERTAIN if own else Certainty.RISK,
            f"process {survivor.pid} keeps a session open that process {survivor.opener} had opened,"
            " which has ended",
            (
                f"opened      {places[survivor.inode][0]}, in {survivor.opener}",
                *((f"forked      {fork.place}",) if fork else ()),
            ),
            fixes.orphan(str(fork.fields.get("by", "")) if fork else ""),
            "The session, its locks and its transaction stay until this process ends.",
        )
    return list(found.values())


def native_locks(reports: Sequence[Reported], locked: Iterable[int]) -> list[Finding]:
    """Forked processes that never return from a driver's connect."""
    found = []
    for pid in locked:
        own = [
            report for report in reports if report.pid == pid and report.event in ("connecting", "connected")
        ]
        if not own or own[-1].event != "connecting":
            continue
        fork = fork_of(reports, pid)
        connecting = fork.fields.get("connecting", ()) if fork else ()
        found.append(
            Finding(
                "native_lock",
                Certainty.PROVEN,
                f"process {pid} can never go on: it waits for a lock inside the driver's libraries",
                (
                    *((f"forked      {fork.place}, in {fork.pid}",) if fork else ()),
                    *(f"meanwhile   another thread was connecting at {place}" for place in connecting[:2]),
                    f"waits       {own[-1].place}, in {pid}; an engine of its own does not help",
                ),
                fixes.lock("native_lock", str(fork.fields.get("by", "")) if fork else ""),
                "It waits until it is killed: no time-out of a pool or a connection is reached.",
            )
        )
    return found


def merged(inside: Sequence[Finding], outside: Sequence[Finding]) -> list[Finding]:
    """All findings, the most certain first; of one hazard, those with the user's lines instead of the others.

    A lock that was held at a fork, and a process that never goes on, are one finding, and it is proven.
    """
    kept = list(inside)
    seen = {finding.hazard for finding in inside if finding.sure}
    if "native_lock" in seen:
        seen.add("inherited_lock")
    if {"missing_thread", "inherited_session"} & seen:
        # A pool of psycopg_pool, or a session: the connection is the parent's, and that is its cure, too.
        seen.add("shared_socket")
    hangs = [finding for finding in outside if finding.hazard == "inherited_lock"]
    if hangs:
        for number, finding in enumerate(kept):
            if finding.hazard in ("import_lock", "pool_lock") and not finding.sure:
                kept[number] = Finding(
                    finding.hazard,
                    Certainty.PROVEN,
                    f"{hangs[0].sentence.partition(':')[0].replace('probably never goes', 'can never go')}:"
                    f" {finding.sentence}",
                    (*finding.evidence, *hangs[0].evidence[:1]),
                    finding.fix,
                    finding.consequence,
                )
                seen.add("inherited_lock")
    for finding in outside:
        same = [each for each in kept if each.hazard == finding.hazard and not each.sure]
        if same and finding.sure:
            # What was a risk has been seen.
            kept = [each for each in kept if each not in same]
        if finding.hazard not in seen and (finding.sure or not same):
            kept.append(finding)
    order = list(Certainty)
    return sorted(kept, key=lambda finding: order.index(finding.certainty))

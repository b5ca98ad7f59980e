"""What reports from inside and a look from outside say together. Pure."""

from collections.abc import Collection, Iterable, Sequence

from harness.doctor import fixes
from harness.doctor.evidence.inside import Reported, fork_of, forked, opened, starter
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
        found[survivor.pid] = Finding(
            "orphaned_backend",
            # A worker that has done neither may still be about to use it.
            Certainty.CERTAIN if own else Certainty.RISK,
            f"process {survivor.pid} keeps a session open that process {survivor.opener} had opened,"
            " which has ended",
            (
                f"opened      {places[survivor.inode][0]}, in {survivor.opener}",
                *forked(reports, survivor.pid),
            ),
            fixes.orphan(starter(reports, survivor.pid)),
            "The session, its locks and its transaction stay until this process ends.",
        )
    return list(found.values())


def hangs(reports: Sequence[Reported], locked: Iterable[int]) -> list[Finding]:
    """Forked processes that began to wait for a lock that was copied, and never went on.

    `locked` are processes all of whose threads waited without a limit for a lock of their own memory.
    """
    found = []
    for pid in locked:
        own = [report for report in reports if report.pid == pid and report.event in WAITS]
        if not own or own[-1].event not in ("connecting", "entering"):
            continue
        last, fork = own[-1], fork_of(reports, pid)
        lock = last.fields.get("lock", "")
        hazard = "import_lock" if lock.startswith("the import") else "pool_lock" if lock else "native_lock"
        others = fork.fields.get("threads" if lock else "connecting", ()) if fork else ()
        found.append(
            Finding(
                hazard,
                Certainty.PROVEN,
                f"process {pid} can never go on: it waits for {lock or _NATIVE}",
                (
                    *forked(reports, pid),
                    *(f"{'thread      ' if lock else _CONNECTING}{place}" for place in others[:2]),
                    f"waits       {last.place}, in {pid}{'' if lock else _NO_HELP}",
                ),
                fixes.lock(hazard, starter(reports, pid)),
                "It waits until it is killed: no time-out of a pool or a connection is reached.",
            )
        )
    return found


WAITS = ("connecting", "connected", "entering", "entered")
"""What processes report before and after a call that may wait for a copied lock."""

_NATIVE = "a lock inside the driver's libraries"
_CONNECTING = "meanwhile   another thread was connecting at "
_NO_HELP = "; an engine of its own does not help"


def moved(finding: Finding, pairs: Collection[tuple[int, int]]) -> bool:
    """Whether all users of a connection are daemons, each in a pair with the process that left it to them."""
    *users, opener = finding.processes or (0,)
    return bool(users) and all((user, opener) in pairs for user in users)


def merged(inside: Sequence[Finding], outside: Sequence[Finding]) -> list[Finding]:
    """All findings, the most certain first; of one hazard, those with the lines of the program."""
    sure = {finding.hazard for finding in inside if finding.sure}
    seen = set(sure)
    if {"native_lock", "import_lock", "pool_lock"} & sure:
        seen.add("inherited_lock")
    if {"missing_thread", "inherited_session"} & sure:
        # A pool of psycopg_pool, or a session: the connection is the parent's, and that is its cure, too.
        seen.add("shared_socket")
    # What was a risk has been seen.
    kept = [finding for finding in inside if finding.sure or finding.hazard not in sure]
    for finding in outside:
        same = [each for each in kept if each.hazard == finding.hazard and not each.sure]
        if same and finding.sure:
            kept = [each for each in kept if each not in same]
        if finding.hazard not in seen and (finding.sure or not same):
            kept.append(finding)
    order = list(Certainty)
    return sorted(kept, key=lambda finding: order.index(finding.certainty))

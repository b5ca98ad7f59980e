"""From the reports of observed processes to findings. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.doctor import fixes
from harness.doctor.evidence.inside import Reported, forked, starter
from harness.doctor.findings import Certainty, Finding
from harness.doctor.judge import engines, errors, processes


def judge(reports: Sequence[Reported], framework: str = "") -> list[Finding]:
    """The findings, the most certain first. `framework` is the program that starts the workers, if known."""
    found = [
        *(finding for seen in SEEN for finding in _seen(seen, reports, framework)),
        *processes.judge(reports),
        *errors.judge(reports),
        *engines.judge(reports),
        *_held(reports),
        *_background(reports, framework),
        *_engines(reports),
    ]
    order = list(Certainty)
    return sorted(found, key=lambda finding: order.index(finding.certainty))


def _own_connections(reports: Sequence[Reported], report: Reported, by: str) -> str:
    # A use names the engine; that of a connection which was closed is not known any more.
    uses = [each for each in reports if each.event == "used" and each.opened == report.opened]
    use = report if report.event == "used" else next(iter(uses), report)
    return fixes.own_connections(by, use.fields.get("engine", ""), use.fields.get("name", ""))


@dataclass(frozen=True)
class Seen:
    """What one event shows for certain, of connections that were opened at one place."""

    hazard: str
    event: str
    sentence: str
    """With `pid` and `opener`, and `use`: the processes, with the verb."""
    done: str
    """What was done, in the evidence."""
    consequence: str
    fix: Callable[[Sequence[Reported], Reported, str], str]
    """By the reports, the first of the event, and what started the process."""
    fields: Mapping[str, bool] = field(default_factory=dict)
    """What the report has to say besides."""


SEEN = (
    Seen(
        "lost_transaction",
        "returned",
        "process {pid} rolled back the transaction of process {opener}",
        "ended",
        "The parent commits nothing, without an error.",
        lambda *_: fixes.COMMIT,
        {"transaction": True},
    ),
    Seen(
        "shared_socket",
        "used",
        "{use} a connection that process {opener} had opened before it forked",
        "used",
        "Each reads the other's answers: wrong rows, errors of the protocol, or a wait without end.",
        _own_connections,
        {"held": False},
    ),
    Seen(
        "inherited_session",
        "used",
        "{use} a session or connection that process {opener} had in use when it forked",
        "used",
        "Both are in one transaction: what one commits or rolls back, the other loses.",
        lambda *given: f"session.close()  # in the parent, before it forks\n{_own_connections(*given)}",
        {"held": True},
    ),
    Seen(
        "parent_closed",
        "closed",
        "process {pid} closed a connection of process {opener}",
        "closed",
        "The server ends the session, and the parent's next query fails.",
        _own_connections,
    ),
    Seen(
        "reused_descriptor",
        "replaced",
        "process {pid} uses a connection whose descriptor is another file by now",
        "used",
        "Queries are written to a file or a socket that has nothing to do with the database.",
        lambda *_: "engine.dispose(close=False)  # inside, before the first query",
    ),
    Seen(
        "missing_thread",
        "pool_used",
        "{use} a psycopg_pool whose threads are in process {opener}, which opened it",
        "used",
        "The worker shares the parent's connections, and waits for others that are never made.",
        lambda reports, first, by: fixes.new_pool(by, first.fields.get("name", "")),
    ),
)


def _seen(seen: Seen, reports: Sequence[Reported], framework: str) -> Iterator[Finding]:
    groups: dict[tuple[str, int], list[Reported]] = {}
    for report in reports:
        if report.event == seen.event and all(
            bool(report.fields.get(name)) is value for name, value in seen.fields.items()
        ):
            groups.setdefault((report.opened, report.opener), []).append(report)
    for group in groups.values():
        first, pids = group[0], list(dict.fromkeys(report.pid for report in group))
        use = f"process {first.pid} uses" if len(pids) == 1 else f"{len(pids)} processes use"
        engine = f"; engine made at {made}" if (made := first.fields.get("engine")) else ""
        opener = f", in {first.opener}{engine}" if first.opener else ""
        places = dict.fromkeys(f"{report.place}, in {report.pid}" for report in group)
        yield Finding(
            seen.hazard,
            Certainty.CERTAIN,
            seen.sentence.format(pid=first.pid, opener=first.opener, use=use),
            (
                f"opened      {first.opened}{opener}",
                *forked(reports, first.pid),
                *(_missed(reports, pids) if seen.hazard == "shared_socket" else ()),
                *(f"{seen.done:<12}{place}" for place in list(places)[:3]),
            ),
            seen.fix(reports, first, starter(reports, first.pid) or framework),
            seen.consequence,
        )


def _missed(reports: Iterable[Reported], pids: Collection[int]) -> Iterator[str]:
    """Other engines that a worker has treated."""
    treated = [report for report in reports if report.event == "disposed" and report.pid in pids]
    if treated:
        yield f"missed      the worker disposed of another engine at {treated[0].place}, and not of this one"


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
    pids = {report.pid for report in reports}
    spawned = {r.pid for r in reports if r.event == "engine" and pids & set(r.fields["ancestors"])}
    for report in last.values():
        by = starter(reports, report.pid) or ("spawned" if report.pid in spawned else "")
        yield Finding(
            "max_connections",
            Certainty.RISK,
            f"process {report.pid} has made {report.fields['count']} engines at one place, and"
            f" {report.fields['keeping']} of them keep connections",
            (f"made        {report.place}",),
            fixes.one_engine(by),
            "A smaller pool changes nothing: the server refuses further connections.",
        )

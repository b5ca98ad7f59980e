"""From the errors that observed processes reported to findings. Pure."""

from collections.abc import Iterator, Sequence

from harness.doctor.evidence.inside import Reported
from harness.doctor.findings import Certainty, Finding

_UNPREPARED = (
    'create_engine(URL, connect_args={"prepare_threshold": None})',
    'off = {"statement_cache_size": 0, "prepared_statement_cache_size": 0}\n'
    "create_async_engine(URL, connect_args=off)",
)
"""How psycopg 3 and asyncpg are kept from preparing statements."""


def judge(reports: Sequence[Reported]) -> list[Finding]:
    """One finding for each kind of error and place."""
    shared = any(report.event in ("used", "returned", "closed", "pool_used") for report in reports)
    found: dict[tuple[str, str], Finding] = {}
    for report in reports:
        if report.event == "error":
            for finding in _finding(report, reports, shared):
                found.setdefault((finding.hazard, report.place), finding)
    return list(found.values())


def _finding(report: Reported, reports: Sequence[Reported], shared: bool) -> Iterator[Finding]:
    kind, pid = report.fields["kind"], report.pid
    failed = (f"failed      {report.place}",)
    if kind == "shared_by_threads":
        yield Finding(
            "shared_by_threads",
            Certainty.CERTAIN,
            f"threads or tasks of process {pid} use one session at the same time",
            failed,
            "Session = scoped_session(sessionmaker(engine))  # per thread",
            "Their statements are mixed in one transaction.",
        )
    if kind == "max_connections":
        yield Finding(
            "max_connections",
            Certainty.CERTAIN,
            f"the server refused a connection of process {pid}: it has too many",
            failed,
            "create_engine(URL, pool_size=2, max_overflow=0)  # per process",
            "Further connections are refused.",
        )
    if kind == "startup_race":
        yield Finding(
            "startup_race",
            Certainty.CERTAIN,
            f"process {pid} created what another process created at the same time",
            failed,
            "metadata.create_all(engine)  # once, before workers start",
            "Workers fail at the first start, and not at the second one.",
        )
    if shared or not report.fields["own"]:
        # The error is a consequence of what is reported as such.
        return
    copied = _copied(report, reports)
    if kind == "idle_cut" or (kind == "cut" and not copied):
        yield Finding(
            "idle_cut",
            Certainty.CERTAIN if kind == "idle_cut" else Certainty.RISK,
            f"something ended a connection of process {pid}, which no other process has",
            (f"opened      {report.opened}", *failed),
            "engine = create_engine(URL, pool_pre_ping=True, pool_recycle=300)",
            "The first query after a pause fails.",
        )
    if kind.startswith("pooler_session") and not copied:
        yield Finding(
            "pooler_session",
            Certainty.RISK,
            f"a session of process {pid} has prepared statements of others: a pooler is in between",
            failed,
            _UNPREPARED[kind == "pooler_session_asyncpg"],
            "Statements fail, in one process after the other.",
        )


def _copied(report: Reported, reports: Sequence[Reported]) -> bool:
    """Whether a copy of the connection may be in another process."""
    inode = report.fields.get("inode")
    return any(
        connection["inode"] == inode
        for fork in reports
        if fork.event == "fork"
        for connection in fork.fields.get("connections", ())
    )

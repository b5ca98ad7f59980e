"""From the engines that observed processes reported to findings. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from harness.doctor import fixes
from harness.doctor.evidence.inside import Reported, forked, starter
from harness.doctor.findings import Certainty, Finding

LOCAL = ("localhost", "127.0.0.1", "::1")
"""Names of this machine, which a URL may omit."""


def judge(reports: Sequence[Reported]) -> list[Finding]:
    return [*_settings(reports), *_loops(reports), *_collected(reports)]


def _settings(reports: Sequence[Reported]) -> Iterator[Finding]:
    """Engines that lack what the engine of the process that started the worker has: once for each place."""
    engines = [report for report in reports if report.event == "engine"]
    seen = set()
    for own in engines:
        if own.place in seen or own.fields["maker"] != own.pid:
            continue
        alike = [each for each in engines if _same(each, own)]
        others = [each for each in alike if each.pid in own.fields["ancestors"]]
        beside = [each for each in alike if each.pid == own.pid and each is not own]
        # A program may have two kinds of engines on purpose, and have both in its workers.
        lacks = [set(each.fields["settings"]) - set(own.fields["settings"]) for each in others]
        if not others or not all(lacks):
            continue
        if any(
            set(other.fields["settings"]) <= set(each.fields["settings"])
            for other in others
            for each in beside
        ):
            continue
        seen.add(own.place)
        other = others[0]
        yield Finding(
            "lost_settings",
            Certainty.RISK,
            f"the engine of process {own.pid} lacks settings of the one in process {other.pid}, which started"
            f" it: {', '.join(sorted(lacks[0]))}",
            (f"made        {other.place}, in {other.pid}", f"made        {own.place}, in {own.pid}"),
            "engine = make_engine(url)  # one function for parent and worker",
            "The worker reads other schemas or rows than its parent, without an error.",
        )


def _same(one: Reported, other: Reported) -> bool:
    """Whether two engines are for one database and one user."""
    return all(one.fields.get(name) == other.fields.get(name) for name in ("target", "user"))


def _collected(reports: Sequence[Reported]) -> Iterator[Finding]:
    """Connections of asyncpg that a worker dropped while their event loop runs in its parent."""
    found: dict[int, Reported] = {}
    for report in reports:
        if report.event == "collected" or (report.event == "left" and report.pid not in found):
            found[report.pid] = report
    for opener in dict.fromkeys(report.opener for report in found.values()):
        of_opener = [report for report in found.values() if report.opener == opener]
        certain = [report for report in of_opener if report.event == "collected"]
        first = (certain or of_opener)[0]
        yield Finding(
            "asyncpg_loop",
            Certainty.CERTAIN if certain else Certainty.RISK,
            f"process {first.pid} {'ended' if certain else 'ends'} a session of process {opener}, whose event"
            f" loop was running when it forked{'' if certain else ', once its garbage is collected'}",
            (f"opened      {first.opened}, in {opener}", *forked(reports, first.pid)),
            fixes.kept_pool(starter(reports, first.pid)),
            "The parent's next query never returns.",
        )


def _loops(reports: Sequence[Reported]) -> Iterator[Finding]:
    """Connections of asyncpg that are used in another event loop: once for each place."""
    shared = {report.pid for report in reports if report.event == "used"}
    # A worker with one loop has another one than its parent; with a loop for each task, it has the hazard.
    several = {r.pid for r in reports if r.event == "other_loop" and r.fields["number"] > 1}
    seen = set()
    for report in reports:
        if report.event != "other_loop" or report.place in seen or report.pid in shared - several:
            continue
        seen.add(report.place)
        yield Finding(
            "event_loop",
            Certainty.CERTAIN,
            f"process {report.pid} uses a connection in another event loop than the one that it belongs to",
            (f"opened      {report.opened}", f"used        {report.place}"),
            "create_async_engine(URL, poolclass=NullPool)  # or one event loop",
            "The first asyncio.run() works, and the next ones fail.",
        )


def capacity(
    reports: Sequence[Reported], limit: int, url: str, alive: Mapping[int, float]
) -> Iterator[Finding]:
    """What the pools of one server can open together, if that is more than it accepts.

    `limit` is that of the server at `url`, and `alive` when each process was last seen alive, in seconds of
    `time.monotonic()`: pools of processes that follow each other are not added.
    """
    pools = {}
    for report in reports:
        if report.event == "engine" and report.fields["capacity"] > 0 and _server(report) == _address(url):
            pools[report.pid, report.place, report.fields["target"]] = report
    most: list[Reported] = []
    for last in pools.values():
        then = [
            each
            for each in pools.values()
            if each is last or each.time <= last.time <= 1e9 * alive.get(each.pid, float("inf"))
        ]
        most = max(most, then, key=_total)
    processes = len({report.pid for report in most})
    if limit and _total(most) > limit:
        yield Finding(
            "max_connections",
            Certainty.FACT,
            f"the pools of {processes} process{'es' if processes > 1 else ''} can open {_total(most)}"
            f" connections, and the server accepts {limit}",
            tuple(
                f"pool        {each.fields['capacity']} connections, made at {each.place}, in {each.pid}"
                for each in sorted(most, key=lambda each: -each.fields["capacity"])[:3]
            ),
            "create_engine(URL, pool_size=2, max_overflow=0)  # or PgBouncer",
            "Under load, further connections are refused.",
        )


def _total(pools: Iterable[Reported]) -> int:
    return sum(report.fields["capacity"] for report in pools)


def _server(engine: Reported) -> tuple[str, str]:
    host, _, port = engine.fields["target"].partition("/")[0].rpartition(":")
    return "" if host in LOCAL else host, port or "5432"


def _address(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return "" if host in LOCAL else host, str(parts.port or 5432)

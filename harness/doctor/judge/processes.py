"""From what processes hand to workers, and leave them, to findings. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.doctor import fixes
from harness.doctor.evidence.inside import Reported, forked, starter
from harness.doctor.findings import Certainty, Finding

SURVIVED = 1.0
"""Seconds after which a worker counts as not ended by a signal."""

FOR_LONG = 5.0
"""Seconds after which it is certain that a handler does not end it, unless the parent hears the signal."""

SIGNALS = {2: "SIGINT", 15: "SIGTERM"}


def judge(reports: Sequence[Reported]) -> list[Finding]:
    return [*_started(reports), *_refused(reports), *_drawn(reports)]


def _by_place(reports: Sequence[Reported], event: str) -> Iterable[Reported]:
    """The first report of an event from each place."""
    first: dict[str, Reported] = {}
    for report in reports:
        if report.event == event:
            first.setdefault(report.place, report)
    return first.values()


def _started(reports: Sequence[Reported]) -> Iterator[Finding]:
    """Workers that were started in a transaction."""
    for report in _by_place(reports, "started"):
        yield Finding(
            "uncommitted_parent",
            Certainty.RISK,
            f"process {report.pid} starts a worker while its own transaction is open",
            (f"opened      {report.opened}", f"started     {report.place}"),
            fixes.COMMIT,
            "The worker does not see the rows, or waits for them while the parent waits for it.",
        )


def _refused(reports: Sequence[Reported]) -> Iterator[Finding]:
    """Arguments that do not pickle."""
    for report in _by_place(reports, "refused"):
        yield Finding(
            "unpicklable",
            Certainty.CERTAIN,
            f"process {report.pid} cannot pass {report.fields['what']} to a worker: it does not pickle",
            (f"started     {report.place}",),
            fixes.PASSED_URL,
            "No worker starts under forkserver, the default from Python 3.14 on, or spawn.",
        )


def _drawn(reports: Sequence[Reported]) -> Iterator[Finding]:
    """Copies of a random generator in one state, from which several processes have drawn numbers."""
    drawn: dict[tuple[str, str], list[Reported]] = {}
    for report in reports:
        if report.event == "drawn":
            drawn.setdefault((report.fields["generator"], report.fields["state"]), []).append(report)
    for name in dict.fromkeys(name for name, _ in drawn):
        alike = next((each for (of, _), each in drawn.items() if of == name and len(each) > 1), None)
        if not alike:
            continue
        yield Finding(
            "copied_ids",
            Certainty.RISK,
            f"processes {alike[0].pid} and {alike[1].pid} have drawn the same numbers: a fork copied their"
            " random generator",
            (
                f"generator   {name}, a random.Random",
                *[line for each in alike for line in forked(reports, each.pid)][:1],
            ),
            fixes.own_generator(name.rpartition(":")[2], starter(reports, alike[1].pid)),
            "Keys or tokens are not unique.",
        )


def signals(reports: Sequence[Reported], alive: Mapping[int, float]) -> list[Finding]:
    """Workers that caught a signal with a copy of their parent's handler, and were alive afterwards.

    `alive` has the time at which each process was seen last, in seconds of `time.monotonic()`.
    """
    found: dict[str, Finding] = {}
    parents = {report.pid: report.fields["parent"] for report in reports if report.event == "forked"}
    own = {(report.pid, report.fields["signal"]) for report in reports if report.event == "handles"}
    for report in reports:
        if report.event != "signal":
            continue
        worker, number = report.fields["worker"], report.fields["signal"]
        if number not in SIGNALS or (worker, number) in own or parents.get(worker) != report.pid:
            continue
        if alive.get(worker, 0.0) < report.time / 1e9 + SURVIVED:
            continue
        heard = report.fields["heard"]
        certain = heard or alive[worker] >= report.time / 1e9 + FOR_LONG
        found.setdefault(
            report.place,
            Finding(
                "copied_signals",
                Certainty.CERTAIN if certain else Certainty.RISK,
                f"process {worker} was sent {SIGNALS[number]}, and lives on: its handler is a copy of that of"
                f" process {report.pid}",
                (*forked(reports, worker), f"signalled   {report.place}, in {report.pid}"),
                fixes.own_signals(starter(reports, worker)),
                "The parent's event loop hears the signal instead, and shuts down."
                if heard
                else "The worker does not end, and join() waits for it.",
            ),
        )
    return list(found.values())

"""The recorders of history: all releases, changes, causes and sensitivity."""

import time
from collections.abc import Sequence
from dataclasses import replace
from math import inf

from harness.console import terminal
from harness.console.numbers import duration
from harness.console.progress import Progress
from harness.counts.recorder import ResultsRecorder
from harness.history import bracket, causes, causes_record, changes, measure, reference
from harness.history.measure import HistorySession
from harness.history.reference import REFERENCE
from harness.instructions import newest, table
from harness.lifecycles import profile as profiles
from harness.lifecycles.blocks import VERSION
from harness.postgres import locate
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import RecordingSession
from harness.releases import interpreters, machine
from harness.releases.catalogue import catalogue
from harness.releases.repo import releases_of
from harness.system import files
from harness.system.errors import PoolstartError


class HistoryRecorder(ResultsRecorder):
    title = "times and memory of all releases"
    options = ("--only", "--repeat", "--minutes", "--fresh")
    rows_are = "releases"
    repeats = "blocks of each release"
    default_repeat = 5
    min_repeat = 3
    benchmarks = r"(?!exact)"

    def seconds(self, request: Request) -> float:
        blocks = self._history(request).remaining()
        return min(blocks * measure.BLOCK_SECONDS, inf if request.minutes is None else 60 * request.minutes)

    def measure(self, request: Request, report: Progress) -> str:
        history = self._history(request)
        if request.minutes != 0:
            with locate.server() as server:
                for release, inner in report.each(history.releases, name=str):
                    inner("installing")
                    interpreters.of_release(release)
                budget = inf if request.minutes is None else 60 * request.minutes
                measure.measure(history, server, profiles.current(), report, budget=budget)
        if measure.file(history):
            raise PoolstartError("asv did not store all results", "its output above says why")
        return f"{len(history.releases)} releases, {history.remaining()} blocks left"

    def _history(self, request: Request) -> HistorySession:
        here = Provenance.here(locate.identity())
        conditions = here.conditions(instrument=VERSION, profile=profiles.current().name)
        kept = RecordingSession("history", conditions, fresh=request.fresh and request.minutes != 0)
        return HistorySession(kept, releases_of(request.only), self.repeat(request))


class ChangesRecorder(Recorder):
    title = f"pairs of releases with {REFERENCE}, until each change has its release"
    options = ("--only", "--minutes", "--fresh")
    rows_are = "releases or strategies"
    file = files.shown(reference.RECORD)

    PAIR_SECONDS = 6
    """Of one pair of parents of all strategies, until the session has measured one itself."""
    MINUTES = 60.0

    def rows(self) -> Sequence[str]:
        return [*(release.version for release in catalogue().releases), *reference.STRATEGIES]

    def seconds(self, request: Request) -> float:
        """How many releases have to be paired follows from what is found: at most the time that is given."""
        return 60 * self._minutes(request)

    def measure(self, request: Request, report: Progress) -> str:
        began, here, steps, of_pair = time.monotonic(), machine.name(), 0, float(self.PAIR_SECONDS)
        order = [release.version for release in catalogue().releases]
        names = [name for name in reference.STRATEGIES if name in request.only] or reference.STRATEGIES
        only = [release for release in order if release in request.only]
        kept = [] if request.fresh else reference.load()
        with locate.server() as server:
            candidates = self._screen(order, only, server, request, report)
            while step := bracket.following(kept, order, candidates, here, names, only):
                size = step.pairs * len(step.strategies) / len(reference.STRATEGIES)
                step_began = time.monotonic()
                left = 60 * self._minutes(request) - (step_began - began)
                if left < size * of_pair:
                    return (
                        f"{steps} steps; the next one, {step.release}, takes about {duration(size * of_pair)}"
                    )
                measured = reference.paired(
                    step.release,
                    step.strategies,
                    step.pairs,
                    interpreters.of_release,
                    server,
                    profiles.current(),
                    report.within(f"{duration(left)} left"),
                    before=step.before,
                )
                provenance = replace(
                    Provenance.here(server.identity, request.command), release=step.release, machine=here
                )
                for name, logs in measured.items():
                    row = reference.with_logs(
                        kept, step.release, name, logs, step.deciding, provenance, step.before
                    )
                    kept = reference.add(row)
                steps += 1
                of_pair = (time.monotonic() - step_began) / size
        return f"{steps} steps; nothing is left to pair" if steps else ""

    def _screen(
        self,
        order: Sequence[str],
        only: Sequence[str],
        server: Server,
        request: Request,
        report: Progress,
    ) -> list[str]:
        """The releases that are known to change something; what is new is counted first, by instructions."""
        before = dict(zip(order[1:], order, strict=False))
        neighbours = [(before[release], release) for release in only or order[-1:] if release in before]
        try:
            found = newest.changed(neighbours, server, request.command, report)
        except NotApplicable as reason:
            terminal.print_text(terminal.errors(), f"n/a: instructions: {reason}")
            found = []
        known = bracket.candidates(order, changes.recorded(), table.load())
        return [release for release in order if release in {*known, *found}]

    def _minutes(self, request: Request) -> float:
        return self.MINUTES if request.minutes is None else request.minutes


class CausesRecorder(Recorder):
    title = "what a worker does differently after each change"
    options = ("--only", "--fresh")
    rows_are = "releases or strategies"
    file = files.shown(causes_record.PATH)

    SECONDS = 40
    """Of an explanation."""

    def seconds(self, request: Request) -> float:
        return len(self._due(request)) * self.SECONDS

    def measure(self, request: Request, report: Progress) -> str:
        due = self._due(request)
        with locate.server() as server:
            for (before, after, strategy), _ in report.each(
                due, name=lambda item: f"{item[0]} and {item[1]}, {item[2]}"
            ):
                pythons = (interpreters.of_release(before), interpreters.of_release(after))
                explanation = causes.between((before, after), pythons, strategy, server)
                provenance = replace(Provenance.here(server.identity, request.command), release="")
                causes_record.record(replace(explanation, provenance=provenance))
        return f"{len(due)} explanations" if due else ""

    def _due(self, request: Request) -> list[tuple[str, str, str]]:
        steps = changes.recorded().paired
        known = [] if request.fresh else causes_record.load()
        wanted = set(request.only)
        return [row for row in causes_record.unexplained(steps, known) if not wanted or wanted & set(row)]

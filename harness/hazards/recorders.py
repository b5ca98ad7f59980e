"""The recorders of hazards: the verdicts of this release, and those of all releases."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from math import inf

from harness import drivers, strategies
from harness.console.progress import Pace, Progress
from harness.drivers import Driver
from harness.hazards import catalogue, expected, matrix, suite
from harness.hazards.bisection import release_verdicts, search, tried
from harness.hazards.hazard import Hazard, Outcome, Verdict
from harness.postgres import locate
from harness.processes import load as loads
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import Parts, RecordingSession
from harness.releases import interpreters
from harness.releases.catalogue import catalogue as releases
from harness.releases.repo import releases_of
from harness.system import files, pythons
from harness.system.errors import PoolstartError
from harness.system.structure import structure


class HazardsRecorder(Recorder):
    title = "the verdict of each hazard under each strategy"
    options = ("--only", "--repeat", "--load", "--fresh")
    rows_are = "hazards, strategies or groups of strategies"
    repeats = "trials of each verdict, all of which must agree"
    file = files.shown(expected.PATH)

    SECONDS = 2.0
    """The duration of a trial that is not on record."""

    def rows(self) -> Sequence[str]:
        return [*catalogue.IDS, *strategies.GROUPS["all"], *strategies.GROUPS]

    def check(self, request: Request) -> None:
        super().check(request)
        if self._columns(request) and set(request.only) - set(strategies.GROUPS["all"]):
            raise PoolstartError(
                f"{self._columns(request)[0]} is recorded once, under all hazards",
                "give --only with strategies alone, or with hazards and groups",
            )

    def seconds(self, request: Request) -> float:
        """Trials take as long as those on record, and several run at a time."""
        hazards, names = self._cells(request)
        tables = list(expected.load(driver=drivers.current().name).values())
        known = {
            (outcome.hazard, outcome.strategy): outcome.seconds
            for table in tables[:1]
            for part in table.parts
            for outcome in part.outcomes
        }
        trials = [known.get((hazard.id, name), self.SECONDS) for hazard in hazards for name in names]
        return self.repeat(request) * sum(trials) / matrix.JOBS

    def measure(self, request: Request, report: Progress) -> str:
        driver = drivers.current()
        hazards, names = self._cells(request)
        repeat = self.repeat(request)
        if repeat > 1:
            # If the result could not be recorded, fail now and not after hours of trials.
            expected.table_of(python=pythons.full(), driver=driver.name)
        with loads.all_but_one(request.load) as busy, locate.server(driver=True) as server:
            provenance = Provenance.here(server.identity, command_of(request, driver), driver=driver.label)
            conditions = provenance.conditions(
                trials=str(repeat),
                busy=str(busy),
                libraries=provenance.frames,
                code=suite.digest_of([hazard.id for hazard in hazards]),
            )
            session = RecordingSession(session_name(driver), conditions, fresh=request.fresh)
            keys = [
                key(hazard.id, name, trial) for trial in range(repeat) for hazard in hazards for name in names
            ]
            left = len(set(keys) - session.parts.keys())
            pace = Pace()
            for trial in range(repeat):

                def seen(outcome: Outcome, trial: int = trial) -> None:
                    nonlocal left
                    left -= 1
                    # A trial without a result is tried again when the command is repeated.
                    keep = Parts.add if outcome.verdict is Verdict.NO_RESULT else RecordingSession.add
                    keep(session, key(outcome.hazard, outcome.strategy, trial), asdict(outcome))
                    pace.step()
                    report(
                        f"{outcome.hazard} under {outcome.strategy}: {outcome.verdict},"
                        f" {left} trials left, {pace.left(left)}"
                    )

                def due(hazard: Hazard, strategy: str, trial: int = trial) -> bool:
                    return key(hazard.id, strategy, trial) not in session.parts

                matrix.measure(
                    server, hazards, names, seen, wanted=due, driver=driver, conditions=repeat == 1
                )
        outcomes = [structure(Outcome, session.parts[each]) for each in keys]
        if repeat > 1:
            expected.save_repeated(provenance, outcomes, repeat, busy)
        else:
            expected.save(provenance, outcomes, columns=bool(self._columns(request)))
        session.close()
        return f"{len(hazards)} hazards under {len(names)} strategies"

    def _cells(self, request: Request) -> tuple[list[Hazard], list[str]]:
        """The hazards and the strategies. Rows are recorded whole, so a hazard is tried under all of a group.

        By default all hazards that are tried with the driver. Only repeated trials may be of single
        strategies.
        """
        driver = drivers.current()
        all_hazards = list(catalogue.tried_with(driver))
        if columns := self._columns(request):
            return all_hazards, columns
        named = [catalogue.load(name) for name in dict.fromkeys(request.only) if name in catalogue.IDS]
        groups = [name for name in dict.fromkeys(request.only) if name not in catalogue.IDS] or ["all"]
        return named or all_hazards, list(strategies.named(groups))

    def _columns(self, request: Request) -> list[str]:
        """The strategies that are named, each to be tried once under all hazards."""
        if self.repeat(request) > 1:
            return []
        return [name for name in dict.fromkeys(request.only) if name in strategies.GROUPS["all"]]


def session_name(driver: Driver, python: str = sys.version) -> str:
    """The name of a session: each driver and Python has its own, so that one does not end another's."""
    return "-".join(["hazards", *expected.combination(python, driver.name).split()])


def command_of(request: Request, driver: Driver) -> str:
    """The command line with the variable that names the driver, unless it is the default."""
    if driver == drivers.MEASURED:
        return request.command
    return f"{drivers.DRIVER}={driver.name} {request.command}"


def key(hazard: str, strategy: str, trial: int) -> str:
    return f"{trial} {hazard} {strategy}"


class VerdictsRecorder(Recorder):
    title = "the release at which each verdict changed, by bisection"
    options = ("--only", "--minutes", "--fresh")
    rows_are = "hazards or ranges of releases"
    file = files.shown(release_verdicts.RECORD)

    SECONDS = 360
    """The duration of all trials of a release."""

    def check(self, request: Request) -> None:
        super().check(request)
        self._releases(request)

    def seconds(self, request: Request) -> float:
        """A release with all its trials takes about 6 minutes; most releases need only a few."""
        due = [release for release in self._releases(request) if not tried.of_release(release)]
        return min(len(due) * self.SECONDS, 60 * (inf if request.minutes is None else request.minutes))

    def measure(self, request: Request, report: Progress) -> str:
        known = [release.version for release in releases().releases]
        hazards = [name for name in request.only if name in catalogue.IDS] or catalogue.IDS
        with locate.server() as server:
            if not release_verdicts.resume(release_verdicts.load(), server) and request.only:
                raise PoolstartError(
                    "the record was measured with another server or Python",
                    "leave out --only, so that all of it is measured again",
                )
            if request.fresh:
                tried.discard(self._releases(request), hazards)
            if request.minutes != 0:
                search.measure(
                    self._releases(request),
                    [catalogue.load(name) for name in hazards],
                    strategies.IDS,
                    interpreters.of_release,
                    server,
                    report,
                    budget=inf if request.minutes is None else 60 * request.minutes,
                )
            recorded = release_verdicts.record(known, server, request.command)
        return f"{len(recorded.releases)} releases"

    def _releases(self, request: Request) -> list[str]:
        """Raises PoolstartError or `UserError` if a range is wrong."""
        ranges = [name for name in request.only if name not in catalogue.IDS]
        return [release.version for release in releases_of(ranges)]

"""The recorders of servers, of drivers and of Pythons."""

from collections.abc import Sequence

from harness import drivers
from harness.comparisons import servers
from harness.comparisons.drivers import record as driver_pairs
from harness.comparisons.pythons import record as python_pairs
from harness.console.progress import Progress
from harness.drivers import MEASURED
from harness.lifecycles import profile as profiles
from harness.postgres import locate
from harness.records import store
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import RecordingSession
from harness.releases.catalogue import catalogue
from harness.system import files


class ServersRecorder(Recorder):
    title = "embedded and containerized PostgreSQL; needs a container engine"
    options = ("--fresh",)
    file = files.shown(servers.PATH)

    ROUND_SECONDS = 25
    START_SECONDS = 60
    """Of all servers."""

    def seconds(self, request: Request) -> float:
        return self.START_SECONDS + profiles.current().blocks * self.ROUND_SECONDS

    def measure(self, request: Request, report: Progress) -> str:
        profile = profiles.current()
        conditions = {"profile": profile.name, "machine": Provenance.here("").machine}
        session = RecordingSession("servers", conditions, fresh=request.fresh)
        comparison = servers.compare(profile, report, request.command, session)
        store.save(servers.PATH, comparison)
        session.close()
        return f"{len(comparison.servers)} servers"


class PairsRecorder(Recorder):
    """Rows that are compared with a reference, each in pairs of so many minutes at most."""

    options = ("--only", "--minutes")
    MINUTES = 2.0
    """Of the pairs of one row."""

    def seconds(self, request: Request) -> float:
        """What --minutes allows for the pairs of all rows."""
        return 60 * self.minutes_each(request) * len(self.compared(request))

    def compared(self, request: Request) -> list[str]:
        """The rows of a request, without the reference."""
        return [name for name in self.selected(request) if name != MEASURED.name]

    def minutes_each(self, request: Request) -> float:
        """Minutes for the pairs of one row; --minutes are those of all."""
        if request.minutes is None:
            return self.MINUTES
        return request.minutes / max(1, len(self.compared(request)))


class DriversRecorder(PairsRecorder):
    title = "drivers, compared with psycopg2 in pairs; counts alone with --minutes 0"
    rows_are = "drivers"
    file = files.shown(driver_pairs.PATH)

    COUNT_SECONDS = 15
    """Of the counts of one driver."""

    def rows(self) -> Sequence[str]:
        return [driver.name for driver in drivers.DRIVERS]

    def seconds(self, request: Request) -> float:
        return len(self.selected(request)) * self.COUNT_SECONDS + super().seconds(request)

    def measure(self, request: Request, report: Progress) -> str:
        release, minutes = catalogue().newest.version, self.minutes_each(request)
        with locate.server() as server:
            for name in self.selected(request):
                driver = drivers.get(name)
                report(f"counts of {name}")
                here = Provenance.here(server.identity, request.command, release, driver=driver.label)
                row = driver_pairs.count(driver, server, release, here)
                driver_pairs.save(row)
                if driver != MEASURED and minutes:
                    profile = profiles.current()
                    driver_pairs.save(driver_pairs.pair(row, server, release, profile, minutes, report))
        return f"{len(self.selected(request))} drivers"


class PythonsRecorder(PairsRecorder):
    title = "Pythons, compared with 3.11 in pairs"
    rows_are = "Pythons"
    file = files.shown(python_pairs.PATH)

    def rows(self) -> Sequence[str]:
        return python_pairs.PYTHONS

    def measure(self, request: Request, report: Progress) -> str:
        minutes = self.minutes_each(request)
        with locate.server() as server:
            here = Provenance.here(server.identity, request.command, catalogue().newest.version)
            for python in self.selected(request):
                row = python_pairs.pair(python, server, profiles.current(), minutes, here, report)
                python_pairs.save(python, row)
        return f"{len(self.selected(request))} Pythons"

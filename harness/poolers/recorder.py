"""The recorder of poolers."""

from collections.abc import Sequence
from dataclasses import replace

from harness.console.progress import Progress
from harness.poolers import figures, pgbouncer, things, times, tries
from harness.poolers.figures import PoolersRecord, PoolerTimes, PoolerTrials
from harness.postgres import embedded
from harness.processes.supervision import Supervision
from harness.records import store
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import RecordingSession
from harness.releases import interpreters
from harness.releases.catalogue import catalogue
from harness.system import files, pythons

TRIALS, TIMES = "trials", "times"


class PoolersRecorder(Recorder):
    title = "PgBouncer in session and transaction mode: what breaks, what fixes it, and times"
    options = ("--only", "--repeat", "--fresh")
    rows_are = "parts, trials or times"
    repeats = "repetitions of each trial, or parents of each driver and pool"
    default_repeat = times.PARENTS
    file = files.shown(figures.PATH)

    TRIAL_S, PARENT_S = 0.4, 2.5
    """Of one trial, and of the workers of one parent."""

    def rows(self) -> Sequence[str]:
        return (TRIALS, TIMES)

    def seconds(self, request: Request) -> float:
        tried = sum(1 for driver in things.MEASURED for _ in tries.combinations(driver))
        parents = len(things.MEASURED) * len(things.POOLS)
        each = {TRIALS: tried * self.TRIAL_S, TIMES: parents * self.PARENT_S}
        return self.repeat(request) * sum(each[part] for part in self.selected(request))

    def prepare(self, request: Request) -> None:
        pgbouncer.version()
        super().prepare(request)

    def measure(self, request: Request, report: Progress) -> str:
        version, newest = pgbouncer.version(), catalogue().newest.version
        name = figures.name(version, pythons.minor())
        report("installing drivers")
        found = {driver: interpreters.of_release(newest, driver) for driver in things.MEASURED}
        record, stored = figures.load() or PoolersRecord(), []
        repeat, drivers = self.repeat(request), {each.name: each.version for each in found}
        with Supervision() as supervision:
            server = embedded.start(supervision)
            for part in self.selected(request):
                provenance = Provenance.here(f"{server.identity}, PgBouncer {version}", request.command)
                conditions = provenance.conditions(repeat=str(repeat))
                kept_as = "-".join(["poolers", part, *name.split()])
                session = RecordingSession(kept_as, conditions, fresh=request.fresh)
                if part == TRIALS:
                    rows = tries.try_all(found, server, repeat, session, report)
                    tried = PoolerTrials(provenance, drivers, repeat, tuple(rows))
                    record = replace(record, trials={**record.trials, name: tried})
                else:
                    measured = times.measure_times(found, server, repeat, session, report)
                    timed = PoolerTimes(provenance, drivers, repeat, times.WORKERS, tuple(measured))
                    record = replace(record, times={**record.times, name: timed})
                store.save(figures.PATH, record)
                session.close()
                stored.append(f"{part} with PgBouncer {name}")
        return " and ".join(stored)

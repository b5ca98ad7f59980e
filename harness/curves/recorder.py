"""The recorder of curves."""

from collections.abc import Sequence

from harness.console.progress import Progress
from harness.curves import curve as curves
from harness.curves.curve import CurvePlan, OwnPoints
from harness.curves.distance import DistanceCurve
from harness.curves.predictions import PredictionsCurve, VariedCurve
from harness.curves.report import SECTIONS
from harness.curves.sizes import SizesCurve
from harness.curves.stampede import StampedeCurve
from harness.curves.work import WorkCurve
from harness.postgres import locate
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import RecordingSession
from harness.system import files
from harness.system.errors import PoolstartError

CURVES: dict[str, CurvePlan] = {
    curve.name: curve
    for curve in (
        DistanceCurve(),
        WorkCurve(),
        SizesCurve(),
        StampedeCurve(),
        PredictionsCurve(),
        VariedCurve(),
    )
}


class CurvesRecorder(Recorder):
    title = "start-up by distance, parent, work and load: " + ", ".join(CURVES)
    options = ("--only", "--at", "--repeat", "--fresh")
    rows_are = "curves"
    repeats = "visits to each point, by default as many as the curve says"
    file = files.shown(curves.PATH)

    def rows(self) -> Sequence[str]:
        return tuple(CURVES)

    def seconds(self, request: Request) -> float:
        return sum(
            len(curve.points()) * curve.seconds * (request.repeat or curve.visits)
            for curve in self._chosen(request)
        )

    def measure(self, request: Request, report: Progress) -> str:
        chosen = self._chosen(request)
        with locate.server() as server:
            for curve in chosen:
                name = curve.name
                visits = request.repeat or curve.visits
                conditions = Provenance.here(server.identity).conditions(visits=str(visits))
                session = RecordingSession(f"curve-{name}", conditions, fresh=request.fresh)
                measured = curves.measured(
                    curve,
                    server,
                    visits=visits,
                    parts=session,
                    progress=report.within(name),
                    command=request.command,
                )
                # As soon as it is measured: a later curve may fail.
                curves.save(curves.load() | {name: measured})
                session.close()
        return ", ".join(curve.name for curve in chosen)

    def _chosen(self, request: Request) -> list[CurvePlan]:
        """The curves of the request. Raises PoolstartError if one cannot have the points of `--at`."""
        names = self.selected(request)
        if not request.at:
            return [CURVES[name] for name in names]
        if fixed := [name for name in names if name not in SECTIONS]:
            raise PoolstartError(
                f"the points of {fixed[0]} were drawn", f"--at is for --only {', '.join(SECTIONS)}"
            )
        return [OwnPoints(CURVES[name], request.at) for name in names]

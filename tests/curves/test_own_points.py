"""`poolstart record curves --at`: points of the user's own, kept apart from the curve."""

from pathlib import Path

import pytest

from harness.console.progress import Progress
from harness.curves import curve, recorder, report
from harness.curves.curve import OwnPoints
from harness.curves.distance import DistanceCurve
from harness.curves.recorder import CurvesRecorder
from harness.curves.work import WorkCurve
from harness.records.recorder import Request
from harness.system.errors import PoolstartError
from tests.support.curves import DISTANCE

ONE = ("strategy=fork_dispose", "setting=default", "distance=0.003")


def test_a_parameter_takes_other_values_and_the_rest_stays() -> None:
    planned = {(at["strategy"], at["setting"]) for at in DistanceCurve().points()}
    own = OwnPoints(DistanceCurve(), ["distance=0.02,0.1"]).points()
    assert {at["distance"] for at in own} == {0.02, 0.1}
    assert {(at["strategy"], at["setting"]) for at in own} == planned
    assert len(own) == 2 * len(planned)


def test_points_without_the_parameter_are_left_out() -> None:
    own = OwnPoints(WorkCurve(), ["pooler=pgbouncer"]).points()
    assert own
    assert all(at["pooler"] == "pgbouncer" for at in own)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("far=1", "distance has no parameter 'far'; give one as NAME=VALUE: strategy, setting, distance"),
        ("distance=-1", "distance=-1 cannot be measured; give a number that is not negative"),
        ("distance=inf", "distance=inf cannot be measured; give a number that is not negative"),
        ("distance", "distance= cannot be measured; give a number that is not negative"),
        ("setting=fast", r"setting=fast cannot be measured; give one of default, "),
    ],
)
def test_what_cannot_be_measured_is_refused(given: str, message: str) -> None:
    with pytest.raises(PoolstartError, match=message):
        OwnPoints(DistanceCurve(), [given])


def test_draws_have_no_points_of_ones_own() -> None:
    with pytest.raises(PoolstartError, match="were drawn; --at is for --only distance"):
        CurvesRecorder().seconds(Request("curves", at=("workers=3",)))


def test_they_are_recorded_beside_the_curve_and_shown_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "curves.json"
    curve.save({"distance": DISTANCE}, path)
    monkeypatch.setattr(recorder.curves, "load", lambda load=curve.load: load(path))
    monkeypatch.setattr(recorder.curves, "save", lambda curves, save=curve.save: save(curves, path))
    request = Request("curves", only=("distance",), repeat=1, fresh=True, at=ONE)
    name = f"distance at {' '.join(ONE)}"
    assert CurvesRecorder().measure(request, Progress(print)) == name
    kept = curve.load()
    assert kept["distance"] == DISTANCE
    (point,) = kept[name].points
    assert point.at == {"strategy": "fork_dispose", "setting": "default", "distance": 0.003}
    page = report.render(kept, None)
    assert f"## Distance at {' '.join(ONE)}" in page
    assert f"| fork_dispose | default | 0.003 | {point.median('first'):.4g} |" in page
    assert "--at distance=0.003" in page

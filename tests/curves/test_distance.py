"""Checkouts of a distant server cost their round trips, which are counted."""

import pytest

from harness.curves import distance, report
from harness.curves.curve import CurveRecord, Point
from harness.curves.distance import DistanceCurve
from harness.postgres.server import Server
from tests.support.curves import DISTANCE, PROVENANCE

CURVE = DistanceCurve()


@pytest.fixture(autouse=True)
def few_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(distance.WORKERS, 0.0, 2)


def test_a_first_and_a_further_checkout_are_timed_and_their_round_trips_counted(server: Server) -> None:
    found = CURVE.measure({"strategy": "nullpool", "setting": "default", "distance": 0.0}, server)
    # Connecting takes two round trips and one for hstore, a query in a transaction three.
    assert set(found["first_trips"]) == {5}
    assert set(found["further_trips"]) == {5.0}
    assert len(found["first"]) == len(found["further"]) == distance.WORKERS[0.0]
    assert len(found["round_trip"]) == 1


def test_settings_change_the_count(server: Server) -> None:
    at = {"strategy": distance.VARIED, "distance": 0.0}
    default, lean = (CURVE.measure({**at, "setting": setting}, server) for setting in ("default", "lean"))
    assert set(lean["first_trips"]) < {*range(int(min(default["first_trips"])))}
    assert (set(default["further_trips"]), set(lean["further_trips"])) == ({3.0}, {1.0})


def test_a_server_that_is_far_away_takes_the_round_trips_longer(server: Server) -> None:
    at = {"strategy": "fork_dispose", "setting": "default"}
    far = CURVE.measure({**at, "distance": 0.05}, server)
    assert min(far["first"]) > 5 * 0.05
    assert min(far["further"]) > 3 * 0.05
    # What the proxy takes itself is part of the distance.
    assert far["round_trip"][0] > 0.05


@pytest.mark.parametrize("setting", ["tls", "scram"])
def test_encryption_and_passwords_take_further_round_trips(server: Server, setting: str) -> None:
    at = {"strategy": distance.VARIED, "setting": setting, "distance": 0.0}
    if reason := CURVE.refused(at, server):
        pytest.skip(reason)
    assert min(CURVE.measure(at, server)["first_trips"]) > 14


def test_the_prediction_is_the_time_on_loopback_and_the_round_trips() -> None:
    (point,) = DISTANCE.where(strategy="fork_dispose", distance=0.01)
    assert distance.predicted(DISTANCE, point, "first") == pytest.approx(0.01 + 5 * 0.01)
    assert max(distance.errors(DISTANCE, "first").values()) == pytest.approx(0)


def test_a_distance_is_the_round_trip_that_was_measured_through_the_proxy() -> None:
    measured = {0.0: 0.0003, 0.001: 0.0015, 0.01: 0.0113, 0.05: 0.0523}
    points = [
        Point(point.at, {**point.values, "round_trip": [measured[float(point.at["distance"])]]})
        for point in DISTANCE.points
    ]
    record = CurveRecord(PROVENANCE, points)
    assert distance.away(record, 0.01) == pytest.approx(0.011)
    (point,) = record.where(strategy="fork_dispose", distance=0.01)
    assert distance.predicted(record, point, "first") == pytest.approx(0.01 + 5 * 0.011)
    page = report.render({"distance": record}, None)
    assert "| loopback | 1.2 ms away | 11.0 ms away | 52.0 ms away | off by at most | anywhere |" in page


def test_a_prediction_that_holds_is_shown_for_any_distance() -> None:
    page = report.render({"distance": DISTANCE}, None)
    assert "predict 6 of 6 rows within 5% at each distance, and all within 0%" in page
    assert "| fork_dispose | SQLAlchemy's defaults | 5 | 10.0 | 15.0 / 15.0 |" in page
    assert "| 0% | 10.0 + 5 d |" in page


def test_one_that_does_not_hold_is_not() -> None:
    slower = {"first": [0.2] * 3}
    points = [
        Point(point.at, {**point.values, **slower}) if point.at["distance"] == 0.05 else point
        for point in DISTANCE.points
    ]
    page = report.render({"distance": CurveRecord(PROVENANCE, points)}, None)
    assert "predict 3 of 6 rows within 5% at each distance" in page
    assert "10.0 + 5 d" not in page

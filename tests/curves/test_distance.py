"""Checkouts of a distant server cost their round trips, which are counted."""

import pytest

from harness.curves import distance, report
from harness.curves.distance import DistanceCurve
from harness.postgres.server import Server
from tests.support.curves import DISTANCE

CURVE = DistanceCurve()


def test_a_first_and_a_further_checkout_are_timed_and_their_round_trips_counted(server: Server) -> None:
    found = CURVE.measure({"strategy": "nullpool", "setting": "default", "distance": 0.0}, server)
    # Connecting takes two round trips and one for hstore, a query in a transaction three.
    assert set(found["first_trips"]) == {5}
    assert set(found["further_trips"]) == {5.0}
    assert len(found["first"]) == len(found["further"]) == distance.WORKERS


def test_settings_change_the_count(server: Server) -> None:
    at = {"strategy": distance.VARIED, "distance": 0.0}
    default, lean = (CURVE.measure({**at, "setting": setting}, server) for setting in ("default", "lean"))
    assert set(lean["first_trips"]) < {*range(int(min(default["first_trips"])))}
    assert (set(default["further_trips"]), set(lean["further_trips"])) == ({3.0}, {1.0})


def test_a_server_that_is_far_away_takes_the_round_trips_longer(server: Server) -> None:
    at = {"strategy": "fork_dispose", "setting": "default"}
    far = CURVE.measure({**at, "distance": 0.2}, server)
    assert min(far["first"]) > 5 * 0.2
    assert min(far["further"]) > 3 * 0.2


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


def test_the_page_says_how_far_predictions_are_off() -> None:
    page = report.render({"distance": DISTANCE}, None)
    assert "within 0%" in page
    assert "| fork_dispose | SQLAlchemy's defaults | 5 | 10.0 / 10.0 | 15.0 / 15.0 |" in page
    assert "without hstore, with AUTOCOMMIT and without a reset on return they take 7 and 1" in page

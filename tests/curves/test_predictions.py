"""Fleets drawn at random are measured next to the bill; the draw repeats."""

import pytest

from harness.curves import bill, factors, report
from harness.curves.curve import CurveRecord, Point
from harness.curves.predictions import (
    NUMBER,
    PredictionsCurve,
    VariedCurve,
    controls,
    drawn,
    drawn_varied,
    outcome,
    outcomes,
)
from harness.curves.sections import predictions
from harness.postgres.server import Server
from harness.system.memory import MIB
from tests.support.curves import DISTANCE, DRIVERS, POOLERS, PROVENANCE, SIZES
from tests.support.fleets import TABLE
from tests.support.poolers import needs_pgbouncer

CURVES = {"sizes": SIZES, "distance": DISTANCE}

KNOWN = bill.coefficients(TABLE, CURVES)

FLEET = {"strategy": "fork_dispose", "workers": 8, "kind": "objects", "mib": 1024, "distance": 0.01}


def measured(factor: float, **at: float) -> Point:
    """A fleet that takes so many times as long as predicted."""
    (expected,) = (
        each
        for each in bill.bills(KNOWN, bill.BillRequest(8, 1024, "objects", 0.01))
        if each.strategy == "fork_dispose"
    )
    assert expected.memory_collected
    values = {
        "ready": [expected.ready * factor],
        "memory": [expected.memory],
        "collected": [expected.memory_collected],
    }
    return Point({**FLEET, **at}, values)


def test_the_same_fleets_are_drawn_each_time_and_all_differ() -> None:
    found = drawn()
    assert found == drawn()
    assert found != drawn(seed=29)
    assert len({str(at) for at in found}) == NUMBER
    assert all(1 <= int(at["workers"]) <= 64 for at in found)
    assert PredictionsCurve().points() == [*found, *controls()]


def test_a_drawn_fleet_is_measured(server: Server) -> None:
    at = {"strategy": "fork_dispose", "workers": 2, "kind": "numbers", "mib": 64, "distance": 0.05}
    found = PredictionsCurve().measure(at, server)
    assert found["ready"][0] > 5 * 0.05
    assert found["collected"][0] > found["memory"][0] > 64 * MIB
    assert found["away"][0] > 0.05


def test_a_prediction_counts_if_it_is_off_by_no_more_than_15_per_cent() -> None:
    record = CurveRecord(PROVENANCE, [measured(1.0), measured(1 / 1.14), measured(1 / 1.16)])
    found = outcomes("predictions", record, KNOWN)
    assert [round(each.off("ready"), 2) for each in found.drawn] == pytest.approx([0, 0.14, 0.16])
    assert (found.within("ready"), found.within("memory")) == (2, 3)
    assert "2 were ready within 15% of the bill's time, and 3 took its memory" in predictions.law(found)
    assert "(seed 28, known when the computation changed)" in predictions.law(found)
    assert "+16%" in predictions.table(found.drawn)


def test_it_is_computed_for_the_distance_that_was_measured() -> None:
    point = measured(1.0)
    far = Point(point.at, {**point.values, "away": [0.012]})
    assert outcome(far, KNOWN).predicted["ready"] - outcome(point, KNOWN).predicted["ready"] == pytest.approx(
        5 * 0.002
    )


def test_fleets_on_record_show_how_long_everything_took_in_that_session() -> None:
    record = CurveRecord(PROVENANCE, [measured(1.0), measured(1.1, control=1), measured(1.1, control=1)])
    found = outcomes("predictions_29", record, KNOWN)
    assert (found.seed, len(found.drawn), found.level) == (29, 1, pytest.approx(1.1))
    assert "Fleets on record took 1.10 times as long in it." in predictions.summary(found)


def test_the_page_has_the_newest_draw_with_its_fleets_and_the_earlier_ones_in_a_sentence() -> None:
    record = CurveRecord(PROVENANCE, [measured(1.0)])
    slow = CurveRecord(PROVENANCE, [measured(1 / 1.2), measured(1.0, control=1)])
    curves = {**CURVES, "predictions_30": slow, "predictions_29": record, "predictions": record}
    page, laws = report.render(curves, KNOWN), report.laws(curves, KNOWN)
    assert "of 1 fleets drawn at random and not fitted (seed 30), 0 were ready within 15%" in laws
    assert "within 15% for 1 of 1 fleets (seed 28), 1 of 1 fleets (seed 29)." in page
    assert (page.count("| fork_dispose | 8 | texts"), page.count("+20%")) == (2, 2)


def test_fleets_with_another_driver_or_behind_a_pooler_are_next_to_the_bill_too() -> None:
    known = bill.coefficients(TABLE, {}, DRIVERS, POOLERS)
    points = [
        Point(
            {
                "strategy": "fork_dispose",
                "workers": 8,
                "kind": "dataframe",
                "mib": 0,
                "distance": 0.0,
                **variant,
            },
            {"ready": [ready], "memory": [100.0 * MIB], "collected": [1.0], "away": [0.0]},
        )
        for variant, ready in (({"driver": "asyncpg"}, 3 * 0.26), ({"pooler": "transaction"}, 0.2))
    ]
    record = CurveRecord(PROVENANCE, points)
    page = report.render({"varied": record}, known)
    assert "Of 2 fleets to which this was fitted, 1 were ready within 15% of the bill's time." in page
    assert "It was off by +0% to +28%; 1 took its memory." in page
    assert "| fork_dispose | 8 | asyncpg | 0 | 0 | 780 | 780 | +0% |" in page
    assert "| fork_dispose | 8 | PgBouncer | 0 | 0 | 200 | 255 | +28% |" in page
    page = report.render({"varied": record, "varied_31": CurveRecord(PROVENANCE, points[:1])}, known)
    assert "Of 1 fleets drawn at random (seed 31), 1 were ready within 15% of the bill's time." in page
    assert "+0%; 1 took its memory. Of 2 fleets to which this was fitted, 1 were ready within" in page


def test_the_draw_has_drivers_poolers_and_both_and_only_what_a_bill_knows() -> None:
    found = drawn_varied()
    assert found == drawn_varied()
    assert {("driver" in at, "pooler" in at) for at in found} == {(True, False), (False, True), (True, True)}
    known = bill.coefficients(TABLE, {}, factors.load_drivers(), factors.load_poolers())
    for at in found:
        request = bill.BillRequest(1, driver=str(at.get("driver", "psycopg2")), pooler="pooler" in at)
        assert str(at["strategy"]) not in request.unmeasured(known)


@needs_pgbouncer
def test_a_fleet_is_measured_behind_pgbouncer(server: Server) -> None:
    at = next(at for at in VariedCurve().points() if at.get("pooler"))
    assert VariedCurve().measure({**at, "workers": 3}, server)["ready"][0] > 0


def test_a_driver_that_is_not_installed_is_left_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    at = next(at for at in VariedCurve().points() if at.get("driver"))
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        assert VariedCurve().refused(at, server) == "the package psycopg is not installed"

"""Fleets drawn at random are measured next to the bill; the draw repeats."""

import pytest

from harness.curves import bill, report
from harness.curves.curve import CurveRecord, Point
from harness.curves.predictions import NUMBER, PredictionsCurve, controls, drawn, outcome, outcomes
from harness.curves.sections import predictions
from harness.postgres.server import Server
from harness.system.memory import MIB
from tests.support.curves import DISTANCE, PROVENANCE, SIZES
from tests.support.fleets import TABLE

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
    assert found != drawn(seed=28)
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
    assert "2 of the times, 3 of the memory and 3" in predictions.law([found])
    assert "+16%" in "".join(predictions.draw(found))


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


def test_the_page_and_the_law_have_each_draw() -> None:
    record = CurveRecord(PROVENANCE, [measured(1.0)])
    curves = {**CURVES, "predictions_29": record, "predictions": record}
    page, laws = report.render(curves, TABLE), report.laws(curves, TABLE)
    assert page.count("## Predictions") == 1
    assert page.index("### The draw of seed 28") < page.index("### The draw of seed 29")
    assert "of 1 fleets (seed 28, known when the computation changed); 1 of the times" in laws

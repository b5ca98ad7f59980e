"""Fleets drawn at random are measured next to the bill; the draw repeats."""

import pytest

from harness.curves import bill
from harness.curves.curve import CurveRecord, Point
from harness.curves.predictions import NUMBER, PredictionsCurve, drawn, outcomes, within
from harness.curves.sections import predictions
from harness.postgres.server import Server
from harness.system.memory import MIB
from tests.support.curves import DISTANCE, PROVENANCE, SIZES
from tests.support.fleets import TABLE

KNOWN = bill.coefficients(TABLE, {"sizes": SIZES, "distance": DISTANCE})


def test_the_same_fleets_are_drawn_each_time_and_all_differ() -> None:
    found = drawn()
    assert found == drawn()
    assert found != drawn(seed=29)
    assert len({str(at) for at in found}) == NUMBER
    assert all(1 <= int(at["workers"]) <= 64 for at in found)


def test_a_drawn_fleet_is_measured(server: Server) -> None:
    at = {"strategy": "fork_dispose", "workers": 2, "kind": "numbers", "mib": 64, "distance": 0.05}
    found = PredictionsCurve().measure(at, server)
    assert found["ready"][0] > 5 * 0.05
    assert found["collected"][0] > found["memory"][0] > 64 * MIB


def test_a_prediction_counts_if_it_is_off_by_no_more_than_15_per_cent() -> None:
    def measured(factor: float) -> Point:
        (expected,) = (
            each
            for each in bill.bills(KNOWN, bill.BillRequest(8, 1024, "objects", 0.01))
            if each.strategy == "fork_dispose"
        )
        return Point(
            {"strategy": "fork_dispose", "workers": 8, "kind": "objects", "mib": 1024, "distance": 0.01},
            {
                "ready": [expected.ready * factor],
                "memory": [expected.memory],
                "collected": [expected.memory_collected],
            },
        )

    record = CurveRecord(PROVENANCE, [measured(1.0), measured(1 / 1.14), measured(1 / 1.16)])
    found = list(outcomes(record, KNOWN))
    assert [round(each.off("ready"), 2) for each in found] == pytest.approx([0, 0.14, 0.16])
    assert (within(found, "ready"), within(found, "memory")) == (2, 3)
    assert "of 3 fleets that were drawn at random" in predictions.law(found)
    assert "+16%" in "".join(predictions.section(found))

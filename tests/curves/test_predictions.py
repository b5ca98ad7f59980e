"""Fleets drawn at random are measured next to the bill; the draw repeats."""

from dataclasses import replace
from itertools import product

import pytest

from harness.curves import bill, factors, outcomes, report
from harness.curves.curve import CurveRecord, Point
from harness.curves.predictions import (
    NUMBER,
    PLAIN,
    TURNS,
    PredictionsCurve,
    VariedCurve,
    controls,
    drawn,
    drawn_varied,
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
    values = {
        "ready": [expected.ready * factor],
        "memory": [expected.memory],
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
    assert found["memory"][0] > 64 * MIB
    # Less what a round trip without the distance took, a moment before.
    assert found["away"][0] > 0.8 * 0.05


def test_a_prediction_counts_if_it_is_off_by_no_more_than_15_per_cent() -> None:
    record = CurveRecord(PROVENANCE, [measured(1.0), measured(1 / 1.14), measured(1 / 1.16)])
    found = outcomes.outcomes("predictions", record, KNOWN)
    assert [round(each.off("ready"), 2) for each in found.drawn] == pytest.approx([0, 0.14, 0.16])
    assert (found.within("ready"), found.within("memory")) == (2, 3)
    assert "the bill's time is right within 15% for 2, its memory for 3." in predictions.law(found)
    assert "(seed 28, known when the computation changed)" in predictions.law(found)
    assert "+16%" in predictions.table(found.drawn)


def test_it_is_computed_for_the_distance_that_was_measured() -> None:
    point = measured(1.0)
    far = Point(point.at, {**point.values, "away": [0.012]})
    found = outcomes.outcomes("predictions", CurveRecord(PROVENANCE, [point, far]), KNOWN)
    near, away = (each.predicted["ready"] for each in found.drawn)
    assert away - near == pytest.approx(5 * 0.002)


def test_fleets_on_record_show_how_long_everything_took_in_that_session() -> None:
    record = CurveRecord(PROVENANCE, [measured(1.0), measured(1.1, control=1), measured(1.1, control=1)])
    found = outcomes.outcomes("predictions_29", record, KNOWN)
    assert (found.seed, len(found.drawn), found.level) == (29, 1, pytest.approx(1.1))
    assert "The fleets on record took 1.10 times as long as before." in predictions.summary(found)


def test_the_page_has_the_newest_draw_with_its_fleets_and_the_earlier_ones_in_a_sentence() -> None:
    record = CurveRecord(PROVENANCE, [measured(1.0)])
    slow = CurveRecord(PROVENANCE, [measured(1 / 1.2), measured(1.0, control=1)])
    curves = {**CURVES, "predictions_30": slow, "predictions_29": record, "predictions": record}
    page, laws = report.render(curves, KNOWN), report.laws(curves, KNOWN)
    assert "of 1 fleets drawn at random and not fitted (seed 30), the bill's time is right" in laws
    assert "within 15% for 0, its memory for " in laws
    assert "within 15% for 1 of 1 fleets (seed 28), 1 of 1 fleets (seed 29)." in page
    assert (page.count("| fork_dispose | 8 | texts"), page.count("+20%")) == (2, 2)


VARIED = replace(bill.coefficients(TABLE, {}, DRIVERS, POOLERS), cores=2, machine="the first")

ELSEWHERE = replace(PROVENANCE, machine="the second")


def varied(*multiples: float, level: float = 1.0) -> CurveRecord:
    """Fleets with asyncpg that take so many times as long as their twins, which the bill says they double."""
    at: dict[str, str | float] = {"strategy": "fork_dispose", "workers": 8, **PLAIN}
    values = {"memory": [100.0 * MIB], "away": [0.0]}
    points = [
        Point(
            {**at, "driver": "asyncpg"},
            {**values, "ready": [0.26 * level * multiple], "twin_ready": [0.26 * level]},
        )
        for multiple in multiples
    ]
    return CurveRecord(ELSEWHERE, [*points, Point({**at, "control": 1}, {**values, "ready": [0.26 * level]})])


def test_a_drawn_fleet_is_compared_by_the_multiple_of_its_twins_time_so_on_any_machine() -> None:
    record = varied(2.0, 2.2, 3.0, level=4.0)
    page = report.render({"varied_32": record}, VARIED)
    assert "Of 3 fleets drawn at random and not fitted (seed 32), 2 took the bill's multiple" in page
    assert "off by -33% to +0%. Scaled, the bill's time is right within 15% for 2, its memory for 3." in page
    assert "took 4.00 times as long as before. The bill is that of another machine: the first." in page
    assert "| fork_dispose | 8 | asyncpg | 2080 | 1040 | 2.00 | 2.00 | +0% | 2080 | +0% |" in page


def test_draws_without_twins_were_known_and_are_a_sentence() -> None:
    old = varied(2.0)
    del old.points[0].values["twin_ready"]
    page = report.render({"varied_31": old}, VARIED)
    assert "had no twins, and were known" in page
    assert "the bill's time is within 15% for 1 of 1 fleets (seed 31)." in page
    assert "not fitted" not in page


def test_fleets_of_a_driver_that_is_not_on_record_are_left_out() -> None:
    found = outcomes.outcomes("varied_32", varied(2.0), KNOWN)
    assert (len(found.drawn), len(found.controls)) == (0, 1)
    assert "rough" in outcomes.tested(
        {"varied_32": varied(2.0)}, KNOWN, bill.BillRequest(8, driver="asyncpg")
    )


def test_a_bill_is_a_rough_estimate_until_a_draw_passes() -> None:
    request = bill.BillRequest(8, driver="asyncpg")

    def tested(**curves: CurveRecord) -> str:
        return outcomes.tested(curves, VARIED, request)

    assert "rough estimate: fleets with asyncpg were not measured." in tested()
    assert "rough" in tested(varied_31=varied(2.0))
    failed, passed = (tested(varied_32=varied(2.0, other)) for other in (3.0, 2.1))
    change = "hat driver and pooler change was within 15% of this for"
    assert failed.startswith(f"This is a rough estimate: w{change} 1 of 2 fleets drawn at random")
    assert passed.startswith(f"W{change} 2 of 2 fleets drawn at random")
    # Fleets with one driver say nothing about another one.
    other = replace(request, driver="psycopg", pooler=True)
    text = outcomes.tested({"varied_32": varied(2.0)}, VARIED, other)
    assert "rough estimate: fleets with psycopg 3 behind PgBouncer were not measured." in text
    assert outcomes.tested({}, VARIED, bill.BillRequest(8)) == ""


def test_the_draw_has_drivers_poolers_and_both_under_all_that_a_bill_knows() -> None:
    found = drawn_varied()
    assert found == drawn_varied()
    assert len({str(at) for at in found}) == 12
    assert {("driver" in at, "pooler" in at) for at in found} == {(True, False), (False, True), (True, True)}
    known = bill.coefficients(TABLE, {}, factors.load_drivers(), factors.load_poolers())
    for at in found:
        request = bill.BillRequest(1, driver=str(at.get("driver", "psycopg2")), pooler="pooler" in at)
        assert str(at["strategy"]) not in request.unmeasured(known)
    direct = {at["strategy"] for at in found if "pooler" not in at}
    assert direct == {"fork_dispose", "nullpool", "spawn", "forkserver_preload"}
    both = {(at["strategy"], at["driver"]) for at in found if "driver" in at and "pooler" in at}
    assert both == set(product(("fork_dispose", "nullpool"), ("psycopg", "asyncpg")))


@needs_pgbouncer
def test_a_fleet_behind_pgbouncer_takes_turns_with_its_twin(server: Server) -> None:
    at = next(at for at in VariedCurve().points() if at.get("pooler") and not at.get("driver"))
    found = VariedCurve().measure({**at, "workers": 3}, server)
    assert len(found["ready"]) == len(found["twin_ready"]) == TURNS
    assert min(*found["ready"], *found["twin_ready"]) > 0


def test_a_fleet_on_record_has_no_twin(server: Server) -> None:
    found = VariedCurve().measure({**controls()[0], "workers": 1}, server)
    assert (len(found["ready"]), "twin_ready" in found) == (TURNS, False)


def test_a_driver_that_is_not_installed_is_left_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    at = next(at for at in VariedCurve().points() if at.get("driver") == "asyncpg")
    with monkeypatch.context() as patch:
        patch.setattr("harness.curves.predictions.installed", lambda name: "")
        assert VariedCurve().refused(at, server) == "the package asyncpg is not installed"


def test_the_record_names_the_versions_of_drivers_and_pooler(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("harness.curves.predictions.installed", {"psycopg": "3.3.9"}.get)
        patch.setattr("harness.curves.predictions.no_pooler", lambda: "there is none")
        assert VariedCurve().used() == ["psycopg 3.3.9"]

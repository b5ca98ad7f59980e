"""The bill is computed from the measured fleets and curves, and says what lies beyond them."""

from dataclasses import replace

import pytest

from harness.curves import factors
from harness.curves.bill import TIMES, UNITS, Bill, BillRequest, at, bills, coefficients, parse
from harness.curves.curve import CurveRecord, Point
from harness.system.errors import PoolstartError
from harness.system.memory import MIB
from tests.support.curves import DISTANCE, DRIVER_ROWS, DRIVERS, POOLERS, PROVENANCE, SIZES, compared
from tests.support.fleets import TABLE

KNOWN = coefficients(TABLE, {"sizes": SIZES, "distance": DISTANCE})

VARIED = replace(coefficients(TABLE, {}, DRIVERS, POOLERS), cores=2)


def bill(request: BillRequest, strategy: str = "fork_dispose") -> Bill:
    [found] = [each for each in bills(KNOWN, request) if each.strategy == strategy]
    return found


def test_a_number_of_workers_is_on_the_line_between_its_neighbours() -> None:
    knots = ((1, 10.0), (2, 10.0), (4, 20.0))
    assert [at(knots, workers) for workers in (1, 2, 3, 4)] == pytest.approx([10, 10, 15, 20])


def test_a_size_is_on_the_line_between_its_neighbours_too() -> None:
    # A GiB of a large parent costs less than one of a small parent.
    (numbers,) = (each for each in KNOWN.data if each.kind == "numbers")
    bent = replace(numbers, fork=((0, 0.0), (1, 0.020), (4, 0.050)))
    known = replace(KNOWN, data=(bent,))
    found, *_ = bills(known, BillRequest(workers=8, parent_mib=2048, kind="numbers"))
    assert found.ready == pytest.approx(0.26 + 8 * 0.030 + 2 * 0.005)


def test_beyond_the_largest_fleet_the_last_line_goes_on() -> None:
    assert at(((1, 10.0), (2, 10.0), (4, 20.0)), 8) == pytest.approx(40)
    assert at(((4, 20.0),), 8) == pytest.approx(40)


def test_a_fleet_between_two_measured_ones_costs_what_lies_between() -> None:
    found = bill(BillRequest(workers=8))
    assert found.ready == pytest.approx(0.26)
    assert found.memory == pytest.approx(82 * MIB)
    assert found.memory_collected == pytest.approx(164 * MIB)


def test_data_in_the_parent_cost_each_forked_worker_time_and_page_tables() -> None:
    found = bill(BillRequest(workers=8, parent_mib=2048))
    # The first fork marks all pages as shared, 5 ms for each GiB.
    assert found.ready == pytest.approx(0.26 + 8 * (0.001 + 2 * 0.020) + 2 * 0.005)
    # Data and library once, and page tables of 2 MiB for each GiB in nine processes.
    assert found.memory == pytest.approx((82 + 2048 + 30 + 9 * 2 * 2) * MIB)
    # In a full collection a worker copies 10 MiB of the library as well.
    assert found.memory_collected == pytest.approx((164 + 2048 + 30 + 9 * 2 * 2 + 8 * 10) * MIB)


def test_they_cost_a_spawned_worker_nothing() -> None:
    found = bill(BillRequest(workers=8, parent_mib=2048), "spawn")
    assert found.ready == pytest.approx(0.26)
    assert found.memory == pytest.approx((82 + 2048 + 30 + 2 * 2) * MIB)


def test_a_kind_of_data_that_is_not_on_record_is_one_line() -> None:
    with pytest.raises(PoolstartError, match=r"kind arrow are on record; recorded are dataframe, numbers"):
        bill(BillRequest(workers=8, parent_mib=256, kind="arrow"))
    with pytest.raises(PoolstartError, match=r"'texts' is no kind of data; choose from dataframe, numbers"):
        bill(BillRequest(workers=8, kind="texts"))


def test_a_server_further_away_adds_the_round_trips_of_one_worker() -> None:
    assert bill(BillRequest(workers=8, distance=0.01)).ready == pytest.approx(0.26 + 0.05)
    assert bill(BillRequest(workers=8, distance=0.01, task=1.03)).start_share == pytest.approx(0.17 / 1.2)


def test_the_share_of_start_is_that_of_a_single_worker() -> None:
    assert bill(BillRequest(workers=8, task=1.08)).start_share == pytest.approx(0.1)
    assert bill(BillRequest(workers=8)).start_share is None


def test_several_tasks_share_one_start() -> None:
    assert bill(BillRequest(workers=8, task=0.108, tasks=10)).start_share == pytest.approx(0.1)
    assert bill(BillRequest(workers=8)).long_enough == pytest.approx(0.12 * 99)


def test_the_share_of_start_counts_the_end_of_a_worker_too_if_that_was_measured() -> None:
    work = CurveRecord(PROVENANCE, [Point({"strategy": "spawn", "task": 0.001}, {"life": [0.301]})])
    [_, spawn, _] = bills(coefficients(TABLE, {"work": work}), BillRequest(workers=8, task=0.7))
    assert spawn.start_share == pytest.approx(0.3)


def test_with_another_driver_a_fleet_takes_longer_by_the_ratio_of_a_single_worker() -> None:
    [found] = bills(VARIED, BillRequest(workers=8, distance=0.01, task=1.0, driver="asyncpg"))
    assert found.strategy == "fork_dispose"
    assert found.ready == pytest.approx(2 * 0.26 + 6 * 0.01)
    assert found.memory == pytest.approx((82 + 8 * 3) * MIB)
    assert found.memory_collected is None
    assert found.start_share == pytest.approx((2 * 0.12 + 0.06) / (2 * 0.12 + 0.06 + 1.0))
    assert BillRequest(workers=8, driver="asyncpg").unmeasured(VARIED) == ["spawn", "nullpool"]


def test_a_fork_server_imports_the_driver_once_as_a_spawned_worker_does() -> None:
    name = "forkserver_preload"
    served = {
        "counts": {name: {"round_trips_first_query": 14}},
        "rows": [
            *DRIVER_ROWS["asyncpg"]["rows"],
            compared("time_to_first_row", name, 0.02, 0.03),
            compared("cpu_first_row", name, 0.01, 0.02),
            compared("uss", name, 5.0, 5.0),
            compared("uss", "spawn", 30.0, 37.0),
        ],
    }
    found = factors.of_drivers({"asyncpg": served})["asyncpg"][name]
    assert (found.once, found.ratio) == pytest.approx((0.10 - 0.01, 1.5))
    # So does its parent, as that of any strategy.
    assert found.memory_once == 2 * 7.0
    forked = factors.of_drivers({"asyncpg": served | {"counts": DRIVER_ROWS["asyncpg"]["counts"]}})
    assert forked["asyncpg"]["fork_dispose"].memory_once == 7.0
    assert DRIVERS["asyncpg"]["fork_dispose"].once == 0


def test_behind_a_pooler_a_fleet_saves_what_single_workers_save_on_all_processors_at_once() -> None:
    forked, poolless = bills(VARIED, BillRequest(workers=8, distance=0.01, task=1.0, pooler=True))
    assert forked.ready == pytest.approx(0.26 - 8 / 2 * 0.0024 + 4 * 0.01)
    assert poolless.ready == pytest.approx(0.26 - 8 / 2 * 0.004 + 4 * 0.01)
    assert poolless.memory == pytest.approx(82 * MIB)
    assert poolless.start_share == pytest.approx((0.12 - 0.004 + 0.04) / (0.12 - 0.004 + 0.04 + 1.0))
    assert BillRequest(workers=8, pooler=True).unmeasured(VARIED) == ["spawn"]


def test_the_processors_are_those_of_the_machine_on_record() -> None:
    machine = "Linux 6.18, x86_64, 16 cores, AMD EPYC"
    table = replace(TABLE, provenance=replace(TABLE.provenance, machine=machine))
    assert [coefficients(each, {}).cores for each in (TABLE, table)] == [1, 16]


def test_what_comes_from_another_machine_than_the_fleets_is_said() -> None:
    record = replace(SIZES, provenance=replace(PROVENANCE, machine="mine"))
    known = replace(coefficients(TABLE, {"sizes": record, "distance": DISTANCE}), machine="yours")
    sentence = "Measured on another machine than the fleets: data in the parent (mine)."
    assert BillRequest(8, 512).elsewhere(known) == sentence
    assert BillRequest(8).elsewhere(known) == ""
    assert BillRequest(8, 512).elsewhere(replace(known, machine="mine")) == ""


@pytest.mark.parametrize(("workers", "times"), [(1, 1), (2, 2), (3, 2), (4, 2), (5, 2.5)])
def test_while_there_is_a_processor_for_each_worker_a_fleet_saves_all(workers: int, times: float) -> None:
    direct, through = (
        next(bills(VARIED, BillRequest(workers, pooler=pooler))).ready for pooler in (False, True)
    )
    assert direct - through == pytest.approx(times * 0.0024)


def test_and_both_together() -> None:
    [found] = bills(VARIED, BillRequest(workers=8, distance=0.01, driver="asyncpg", pooler=True))
    assert found.ready == pytest.approx(2 * 0.26 - 8 / 2 * 0.004 + 5 * 0.01)


def test_figures_of_a_busy_machine_are_no_factors() -> None:
    busy = {name: {**row, "busy": "the machine was busy"} for name, row in DRIVER_ROWS.items()}
    known = coefficients(TABLE, {}, factors.of_drivers(busy))
    assert list(bills(known, BillRequest(workers=8, driver="asyncpg"))) == []
    assert len(BillRequest(workers=8, driver="asyncpg").unmeasured(known)) == 3


def test_an_unknown_driver_is_one_line() -> None:
    with pytest.raises(PoolstartError, match=r"no driver 'pg8000' is measured; known are psycopg2"):
        bill(BillRequest(workers=8, driver="pg8000"))


def test_a_pool_holds_a_connection_in_each_process_and_nullpool_none() -> None:
    assert (bill(BillRequest(8)).connections, bill(BillRequest(8), "nullpool").connections) == (9, 0)


def test_what_was_not_measured_is_extrapolated() -> None:
    assert BillRequest(16, 4096, distance=0.05).extrapolated(KNOWN) == []
    assert BillRequest(17, 8192, distance=0.1).extrapolated(KNOWN) == [
        "more than 16 workers",
        "more than 4 GiB of data in the parent",
        "a round trip of more than 50 ms",
    ]


@pytest.mark.parametrize(
    ("text", "units", "value"),
    [("4GiB", UNITS, 4096), ("512 MiB", UNITS, 512), ("200ms", TIMES, 0.2), ("1.5h", TIMES, 5400)],
)
def test_amounts_have_units(text: str, units: dict[str, float], value: float) -> None:
    assert parse(text, units, "") == pytest.approx(value)


@pytest.mark.parametrize("text", ["4", "GiB", "4GB", "-1GiB", "1e3GiB", "", "nanGiB"])
def test_anything_else_is_one_line(text: str) -> None:
    with pytest.raises(PoolstartError, match="no amount with a unit; write 4GiB; units are MiB, GiB"):
        parse(text, UNITS, "4GiB")

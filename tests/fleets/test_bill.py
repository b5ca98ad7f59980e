"""The bill is computed from lines through the measured fleets, and says what lies beyond them."""

from pathlib import Path

import pytest

from harness.fleets import figures
from harness.fleets.bill import SIZES, TIMES, Bill, BillRequest, bills, parse
from harness.fleets.figures import fit
from harness.system.errors import PoolstartError
from harness.system.memory import MIB
from tests.support.fleets import TABLE


def bill(request: BillRequest, strategy: str = "fork_dispose") -> Bill:
    [found] = [each for each in bills(TABLE, request) if each.strategy == strategy]
    return found


def test_a_line_is_found_again() -> None:
    line = fit((1, 4, 16), (3.0, 9.0, 33.0))
    assert (line.base, line.each, line.error) == pytest.approx((1.0, 2.0, 0.0), abs=1e-9)


def test_its_error_is_the_largest_difference_from_a_measured_value() -> None:
    line = fit((1, 2, 3), (1.0, 2.2, 3.0))
    assert line.error == pytest.approx(
        max(abs(line.at(size) / value - 1) for size, value in ((1, 1.0), (2, 2.2), (3, 3.0)))
    )


def test_a_fleet_between_two_measured_ones_costs_what_lies_between() -> None:
    found = bill(BillRequest(workers=8))
    assert found.ready == pytest.approx(0.26)
    assert found.memory == pytest.approx(82 * MIB)
    assert found.memory_collected == pytest.approx(164 * MIB)


def test_data_in_the_parent_are_those_of_the_measured_dataframe() -> None:
    found = bill(BillRequest(workers=8, parent_mib=512))
    assert found.ready == pytest.approx(0.42)
    assert found.memory == pytest.approx(594 * MIB)


def test_another_amount_is_refused_for_two_sizes_say_nothing_about_a_third() -> None:
    with pytest.raises(PoolstartError, match=r"with 256 MiB in the parent; give .* 0MiB and 512MiB"):
        bill(BillRequest(workers=8, parent_mib=256))


def test_a_server_further_away_adds_the_round_trips_of_one_worker() -> None:
    assert bill(BillRequest(workers=8, distance=0.01)).ready == pytest.approx(0.26 + 0.05)
    assert bill(BillRequest(workers=8, distance=0.01, task=1.03)).start_share == pytest.approx(0.17 / 1.2)


def test_the_share_of_start_is_that_of_a_single_worker() -> None:
    assert bill(BillRequest(workers=8, task=1.08)).start_share == pytest.approx(0.1)
    assert bill(BillRequest(workers=8)).start_share is None


def test_a_pool_holds_a_connection_in_each_process_and_nullpool_none() -> None:
    assert (bill(BillRequest(8)).connections, bill(BillRequest(8), "nullpool").connections) == (9, 0)


def test_what_was_not_measured_is_extrapolated() -> None:
    assert BillRequest(16, 512).extrapolated(TABLE) == []
    assert BillRequest(17, 512).extrapolated(TABLE) == ["more than 16 workers"]


@pytest.mark.parametrize(
    ("text", "units", "value"),
    [("4GiB", SIZES, 4096), ("512 MiB", SIZES, 512), ("200ms", TIMES, 0.2), ("1.5h", TIMES, 5400)],
)
def test_amounts_have_units(text: str, units: dict[str, float], value: float) -> None:
    assert parse(text, units, "") == pytest.approx(value)


@pytest.mark.parametrize("text", ["4", "GiB", "4GB", "-1GiB", "1e3GiB", "", "nanGiB"])
def test_anything_else_is_one_line(text: str) -> None:
    with pytest.raises(PoolstartError, match="no amount with a unit; write 4GiB; units are MiB, GiB"):
        parse(text, SIZES, "4GiB")


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    figures.save(TABLE, tmp_path / "fleets.json")
    assert figures.load(tmp_path / "fleets.json") == TABLE
    assert figures.load(tmp_path / "none.json") is None

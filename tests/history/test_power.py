"""The procedure for the newest release by simulation: how often a change is found, and none is invented."""

import pytest

from harness.history.sensitivity import power

RUNS = 150

QUIET, BUSY = power.SCATTERS.values()


@pytest.mark.parametrize("tailed", [False, True])
@pytest.mark.parametrize("scatter", [QUIET, BUSY])
def test_without_a_change_none_is_reported(scatter: float, tailed: bool) -> None:
    assert power.found(0.0, scatter, RUNS, tailed=tailed) == 0


def test_two_per_cent_are_found_on_a_quiet_machine_and_three_on_a_busy_one() -> None:
    assert power.found(0.02, QUIET, RUNS) > 0.95
    assert power.found(0.03, BUSY, RUNS) > 0.95


def test_a_change_of_half_a_per_cent_does_not_count() -> None:
    assert power.found(0.005, QUIET, RUNS) < 0.02


def test_a_faster_release_is_found_as_well() -> None:
    assert power.found(-0.02, QUIET, RUNS) > 0.9

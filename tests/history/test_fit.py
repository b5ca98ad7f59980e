"""The arithmetic of change points, on small arrays."""

import numpy as np
import pytest

from harness.history import fit
from harness.history.fit import MIN_SEGMENT, PENALTY, hodges_lehmann, level_changes

NOISE = np.random.default_rng(1).normal(size=40)


@pytest.mark.parametrize("size", [4.0, 8.0])
def test_a_new_level_is_found_where_it_begins(size):
    assert level_changes(NOISE + np.where(np.arange(40) < 20, 0, size), PENALTY) == [20]


def test_noise_has_no_change():
    assert level_changes(NOISE, PENALTY) == []


@pytest.mark.parametrize(("length", "changes"), [(MIN_SEGMENT - 1, []), (MIN_SEGMENT, [36])])
def test_a_level_needs_some_releases_however_far_off_it_is(length, changes):
    values = np.zeros(40)
    values[40 - length :] = 1000
    assert level_changes(values, PENALTY) == changes


@pytest.mark.parametrize(("length", "changes"), [(6, []), (7, [20, 27])])
def test_a_level_that_returns_pays_for_two_changes(length, changes):
    values = np.zeros(40)
    values[20 : 20 + length] = 1000
    assert level_changes(values, PENALTY) == changes


def test_a_small_change_before_a_large_one_does_not_displace_it():
    values = np.concatenate([np.zeros(20), np.full(3, -4.0), np.full(20, 13.0)])
    assert fit.relocate([20], values, 1.0, 20) == [23]


def test_a_shift_is_the_median_of_all_differences():
    assert hodges_lehmann(np.array([0.0, 1.0]), np.array([10.0, 20.0, 30.0])) == 19.5


def test_one_bad_value_does_not_move_a_shift():
    before, after = np.zeros(9), np.array([1.0] * 8 + [1000.0])
    assert hodges_lehmann(before, after) == 1.0


def test_noise_is_estimated_beside_a_change():
    noise = np.random.default_rng(2).normal(size=400)
    values = noise + np.where(np.arange(400) < 200, 0, 50)
    assert fit.neighbour_noise(values) == pytest.approx(1, rel=0.15)


def test_a_drift_is_distinguished_from_a_step():
    positions = np.arange(40.0)
    assert fit.drift_explains(NOISE + positions / 5, 20, 1.0)
    assert not fit.drift_explains(NOISE + np.where(positions < 20, 0, 8), 20, 1.0)

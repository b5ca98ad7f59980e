"""Simulated comparisons: judged as real ones are, and with the scatter of the pairs on record."""

from math import exp

import numpy as np
import pytest

from harness.comparisons import judge
from harness.comparisons.pairs import Sample
from harness.history.reference import RatioRow
from harness.history.sensitivity import simulated
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table

NAMES = [metric.id for metric in metrics.shown_in(Table.COMPARISON)]


def row(scatter: float, ratio: float = 0.2) -> RatioRow:
    rng = np.random.default_rng(1)
    logs = {name: (ratio + scatter * rng.standard_normal(20)).tolist() for name in NAMES}
    return RatioRow("2.1.9", "spawn", logs, dict.fromkeys(NAMES, 3e7))


def test_the_ratio_of_the_release_is_no_scatter() -> None:
    [found] = simulated.residuals([row(0.01)])
    assert found.logs.mean(axis=0) == pytest.approx(0)
    assert found.logs.std() == pytest.approx(0.01, rel=0.2)


def test_a_comparison_with_itself_rarely_reports_and_never_fails() -> None:
    same = simulated.compare(simulated.residuals([row(0.02)]), pairs=10, runs=400)
    assert same.reported < 0.05
    assert same.failed < 0.01


def test_a_change_far_above_the_scatter_is_found_and_one_far_below_is_not() -> None:
    assert simulated.compare(simulated.residuals([row(0.005)]), 10, 0.03, runs=100).found == 1
    assert simulated.compare(simulated.residuals([row(0.2)]), 10, 0.03, runs=100).found < 0.1


@pytest.mark.parametrize("seed", range(5))
def test_significance_is_that_of_a_real_comparison(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logs = {(name, "spawn", "none"): rng.normal(0.01, 0.01, 10) for name in NAMES}
    samples = {key: [Sample(1.0, exp(x), exp(x)) for x in values] for key, values in logs.items()}
    tests = [judge.paired_test([sample.ratio for sample in each]) for each in samples.values()]
    p = np.array([[each[3] for each in tests]])
    expected = judge.holm([each[3] for each in tests], judge.FALSE_ALARM_RATE)
    assert simulated.holm(p).tolist() == [expected]

"""Verdicts on simulated pairs: nothing is measured."""

from math import inf

import numpy as np
import pytest
from scipy.stats import t as student

from harness.comparisons.judge import find, holm, judge, paired_test
from harness.comparisons.pairs import Sample
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table

STRATEGIES = ("fork_dispose", "forkserver_preload", "spawn")
METRICS = [metric.id for metric in metrics.shown_in(Table.COMPARISON)]
FIGURES = [(m, s, "none") for m in METRICS for s in STRATEGIES]


def sample(ratio, first=1.0):
    return Sample(first, first * ratio, ratio)


def test_same_needs_the_whole_interval_within_what_is_tolerated():
    steady = [sample(1.0 + sign * 1e-4) for sign in (1, -1) * 5]
    shaky = [sample(1.0 + sign * 0.1) for sign in (1, -1) * 5]
    verdicts = [row.verdict for row in judge({FIGURES[0]: steady, FIGURES[1]: shaky}, tolerate=0.03)]
    assert verdicts == ["same", "cannot tell"]


def test_a_figure_is_found_by_its_metric_and_strategy():
    rows = judge({("uss", name, "none"): [sample(1.0)] * 6 for name in STRATEGIES}, 0.03)
    found = find(rows, "uss", "spawn")
    assert found is not None
    assert (found.metric, found.strategy) == ("uss", "spawn")
    assert find(rows, "startup", "spawn") is None


def test_five_pairs_prove_nothing():
    [row] = judge({FIGURES[0]: [sample(2.0)] * 5}, 0.03)
    assert (row.verdict, row.outcome) == ("cannot tell", "undecided")
    assert (row.low, row.high, row.p, row.detectable) == (0, inf, 1, inf)


def test_one_bad_pair_proves_nothing():
    [row] = judge({FIGURES[0]: [sample(1 + n / 1e4) for n in (-1, 1) * 5] + [sample(3.0)]}, 0.03)
    assert row.verdict == "cannot tell"


@pytest.mark.parametrize("metric", ["startup", "uss"])
def test_a_change_smaller_than_counts_is_none_however_certain(metric):
    large = {"startup": 0.2, "uss": 30 * 2**20}[metric]
    least = metrics.MIN_RELATIVE_CHANGE[metrics.get(metric).unit]
    verdicts = []
    for change in (0.8 * least, 1.2 * least):
        sure = [sample(1 + change + n / 1e6, large) for n in range(10)]
        [row] = judge({(metric, "spawn", "none"): sure}, 0.03)
        verdicts.append(row.verdict)
    assert verdicts == ["same", "slower"]


def test_a_few_pages_of_memory_are_no_change():
    small = 4 * 2**20
    verdicts = []
    for pages in (10, 20):
        sure = [sample(1 + pages * 4096 / small + n / 1e6, small) for n in range(10)]
        [row] = judge({("uss", "fork_dispose", "none"): sure}, 0.03)
        verdicts.append(row.verdict)
    assert verdicts == ["same", "slower"]
    # More than is tolerated, and yet only 52 KiB.
    [row] = judge({("uss", "fork_dispose", "none"): [sample(1.05 + n / 1e6, 2**20) for n in range(10)]}, 0.03)
    assert (row.limit, row.outcome) == (1 / 16, "passed")


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.90, 0.92, "passed"),
        (1.00, 1.02, "passed"),
        (1.02, 1.025, "passed"),
        (1.02, 1.08, "undecided"),
        (1.025, 1.045, "undecided"),
        (1.04, 1.06, "worse"),
    ],
)
def test_only_an_interval_above_what_is_tolerated_is_worse(low, high, outcome):
    half = (np.log(high) - np.log(low)) / 2 / student.ppf(0.995, 9) * 10**0.5
    scattered = np.array([1, -1] * 5) * half * (9 / 10) ** 0.5
    ratios = np.exp(scattered + (np.log(low) + np.log(high)) / 2)
    [row] = judge({FIGURES[0]: [sample(float(ratio)) for ratio in ratios]}, 0.03)
    assert (row.low, row.high) == pytest.approx((low, high))
    assert row.outcome == outcome
    assert (row.worse, row.undecided) == (outcome == "worse", outcome == "undecided")


def test_a_change_of_the_detectable_size_is_found_in_eight_of_ten_comparisons():
    random = np.random.default_rng(4)

    def normal(factor):
        return [sample(factor * float(np.exp(random.normal(0, 0.02)))) for _ in range(12)]

    sizes = [judge({figure: normal(1) for figure in FIGURES}, 0.03)[0].detectable for _ in range(20)]
    size = float(np.median(sizes))
    found = [
        judge({figure: normal(1 + size * (figure == FIGURES[0])) for figure in FIGURES}, 0.03)[0].worse
        for _ in range(100)
    ]
    assert 0.7 < sum(found) / 100 < 0.9


@pytest.mark.parametrize(("ratio", "p"), [(1.0, 1.0), (1.1, 0.0)])
def test_equal_ratios_have_an_interval_without_width(ratio, p):
    middle, low, high, found = paired_test([ratio] * 6)
    assert low == high == middle
    assert found == p


def test_holms_procedure_stops_at_the_first_p_value_that_is_too_large():
    assert holm([0.01, 0.04, 0.03, 0.005], 0.05) == [True, False, False, True]
    assert holm([], 0.05) == []

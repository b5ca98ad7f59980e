"""Resampled comparisons: judged as real ones are, and with the scatter of the pairs on record."""

from math import exp

import numpy as np
import pytest

from harness.comparisons import judge
from harness.comparisons.pairs import Sample
from harness.history.reference import RatioRow
from harness.history.sensitivity import simulated
from harness.history.sensitivity.simulated import Residuals
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table

NAMES = [metric.id for metric in metrics.shown_in(Table.COMPARISON)]


def scattered(scatter: float, ratio: float = 0.2, strategy: str = "spawn") -> Residuals:
    rng = np.random.default_rng(1)
    logs = {name: (ratio + scatter * rng.standard_normal(20)).tolist() for name in NAMES}
    [found] = simulated.residuals([RatioRow("2.1.9", strategy, logs, dict.fromkeys(NAMES, 3e7))])
    return found


def test_the_ratio_of_the_release_is_no_scatter() -> None:
    found = scattered(0.01)
    assert found.logs.mean(axis=0) == pytest.approx(0)
    assert found.logs.std() == pytest.approx(0.01, rel=0.2)


@pytest.mark.parametrize("change", [0.0, 0.03, 0.05])
def test_it_decides_as_a_real_comparison_of_the_same_pairs(change: float) -> None:
    known, runs, pairs = scattered(0.02), 20, 10
    rng = np.random.default_rng(simulated.SEED)
    logs = known.logs[rng.integers(len(known.logs), size=(runs, pairs))]
    logs = logs * rng.choice([-1.0, 1.0], size=(runs, pairs, 1))
    logs[:, :, known.metrics.index("startup")] += np.log1p(change)
    size = 3e7
    judged = [
        judge.judge(
            {
                (name, "spawn", "none"): [Sample(size, size * exp(x), exp(x)) for x in of_metric]
                for name, of_metric in zip(known.metrics, run.T, strict=True)
            },
            simulated.TOLERATE,
        )
        for run in logs
    ]
    shares = simulated.compare([known], pairs, change, runs)
    assert shares.reported == np.mean(
        [any(r.verdict in ("slower", "faster") for r in rows) for rows in judged]
    )
    assert shares.failed == np.mean([any(r.worse for r in rows) for rows in judged])
    of_startup = [next(r for r in rows if r.metric == "startup") for rows in judged]
    assert shares.found == np.mean([r.verdict == "slower" for r in of_startup])


def test_a_new_release_is_reported_if_it_changed_by_more_than_counts() -> None:
    quiet = scattered(0.008)
    assert simulated.reported(quiet, 0.0, 200) == 0
    assert simulated.reported(quiet, 0.005, 200) < 0.02
    assert simulated.reported(quiet, 0.02, 200) > 0.9
    assert simulated.reported(quiet, -0.02, 200) > 0.9


def test_of_forked_workers_2_percent_are_reported_through_the_scatter_of_real_pairs() -> None:
    noisy = scattered(0.022, strategy="fork_dispose")
    assert simulated.reported(noisy, 0.0, 200) == 0
    assert simulated.reported(noisy, 0.02, 200) > 0.84

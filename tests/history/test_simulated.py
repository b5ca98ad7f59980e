"""Resampled comparisons: judged as real ones are, and with the scatter of the pairs on record."""

from collections.abc import Sequence
from math import exp

import numpy as np
import pytest

from harness.comparisons import judge
from harness.comparisons.pairs import Sample
from harness.history.reference import RatioRow
from harness.history.sensitivity import simulated
from harness.history.sensitivity.simulated import NEW_FIGURE, Residuals, Stages
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table
from harness.records.provenance import Provenance

NAMES = [metric.id for metric in metrics.shown_in(Table.COMPARISON)]


def scattered(scatter: float, names: Sequence[str] = NAMES) -> Residuals:
    rng = np.random.default_rng(1)
    logs = {name: (0.2 + scatter * rng.standard_normal(20)).tolist() for name in NAMES}
    row = RatioRow("2.1.9", "spawn", logs, dict.fromkeys(NAMES, 3e7))
    return simulated.residuals([row], ["spawn"], names)


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
    logs[:, :, known.figures.index(("startup", "spawn"))] += np.log1p(change)
    size = 3e7
    judged = [
        judge.judge(
            {
                (name, "spawn", "none"): [Sample(size, size * exp(x), exp(x)) for x in of_metric]
                for (name, _), of_metric in zip(known.figures, run.T, strict=True)
            },
            simulated.TOLERATE,
        )
        for run in logs
    ]
    shares = simulated.compare(known, pairs, change, runs)
    assert shares.reported == np.mean(
        [any(r.verdict in ("slower", "faster") for r in rows) for rows in judged]
    )
    assert shares.failed == np.mean([any(r.worse for r in rows) for rows in judged])
    of_startup = [next(r for r in rows if r.metric == "startup") for rows in judged]
    assert shares.found == np.mean([r.verdict == "slower" for r in of_startup])


def new(scatter: float, change: float, stages: Stages) -> float:
    """The share of new releases with a change of one figure that is reported."""
    return float(simulated.reported(scattered(scatter, [NEW_FIGURE]), stages, change, runs=200).mean())


def test_a_new_release_is_reported_if_it_changed_by_more_than_counts() -> None:
    changes = (0.0, 0.005, 0.02, -0.02)
    none, little, more, less = (new(0.008, change, simulated.SPAWNED_STAGES) for change in changes)
    assert none == 0
    assert little < 0.02
    assert min(more, less) > 0.9


def test_of_forked_workers_2_percent_are_reported_through_the_scatter_of_real_pairs() -> None:
    assert new(0.022, 0.0, simulated.NEWEST_STAGES) == 0
    assert new(0.022, 0.02, simulated.NEWEST_STAGES) > 0.84


FORKED = ("fork_dispose", "nullpool")


def sessions(*shared: float, date: str = "") -> list[RatioRow]:
    """Pairs of two strategies in a session for each release, with noise of a pair that both share in part."""
    rng = np.random.default_rng(2)
    rows = []
    for number, share in enumerate(shared):
        common = rng.standard_normal(40)
        for name in FORKED:
            own = share * common + (1 - share) * rng.standard_normal(40)
            provenance = Provenance(date=f"{number}{date and name}")
            logs = {NEW_FIGURE: (0.1 * number + 0.025 * own).tolist()}
            rows.append(RatioRow(f"2.1.{number}", name, {}, {NEW_FIGURE: 0.01}, logs, provenance))
    return rows


def test_strategies_that_one_session_measured_are_drawn_together() -> None:
    alike = simulated.residuals(sessions(1.0, 1.0), FORKED, [NEW_FIGURE])
    assert alike.logs.shape == (80, 2)
    assert np.allclose(alike.logs[:, 0], alike.logs[:, 1])
    assert alike.logs.mean(axis=0) == pytest.approx(0)
    apart = simulated.residuals(sessions(1.0, 1.0, date="another day"), FORKED, [NEW_FIGURE])
    assert (len(apart.logs), apart.figures) == (0, ())


def test_what_either_of_two_shows_is_more_than_one_shows_unless_they_scatter_alike() -> None:
    def shares(share: float) -> list[float]:
        """Of both together, and of each alone."""
        rows, sets = sessions(share), (FORKED, FORKED[:1], FORKED[1:])
        drawn = (simulated.residuals(rows, names, [NEW_FIGURE]) for names in sets)
        found = (simulated.reported(each, simulated.NEWEST_STAGES, 0.015, runs=400) for each in drawn)
        return [each.any(axis=1).mean() for each in found]

    alike, *each_alike = shares(1.0)
    own, *each_own = shares(0.0)
    assert {alike} == set(each_alike)
    assert own > max(each_own) + 0.05

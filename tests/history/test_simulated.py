"""Resampled comparisons: judged as real ones are, and with the scatter of the pairs on record."""

import re
from collections.abc import Sequence
from math import exp

import numpy as np
import pytest

from harness.comparisons import judge
from harness.comparisons.pairs import Sample
from harness.history import paired
from harness.history.reference import NEWEST, RatioRow
from harness.history.sensitivity import simulated
from harness.history.sensitivity.simulated import NEW_FIGURE, RUNS, Residuals
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table
from harness.records.provenance import Provenance
from harness.system.environment import ROOT

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


@pytest.mark.parametrize("change", [0.0, 0.01, 0.02])
def test_it_reports_a_new_release_as_direct_pairs_of_it_do(change: float) -> None:
    names = [NEW_FIGURE, "time_to_first_row", "startup"]
    known = scattered(0.025, names)
    found = simulated.reported(known, np.random.default_rng(1), change)
    drawn = np.random.default_rng(1).multinomial(NEWEST, np.full(20, 1 / 20), size=RUNS)
    rows = (np.repeat(known.logs, counts, axis=0) + np.log1p(change) for counts in drawn[:200])
    reports = []
    for logs in rows:
        row = RatioRow(
            "2.1.9", "spawn", {}, dict.fromkeys(names, 3e7),
            dict(zip((name for name, _ in known.figures), logs.T.tolist(), strict=True)), before="2.1.8",
        )  # fmt: skip
        reports.append(bool(paired.reported(paired.of_rows(None, row, {}, False))))
    assert found[:200].any(axis=1).tolist() == reports


def test_on_the_page_a_release_is_seldom_reported_without_a_change_and_nearly_always_with_one() -> None:
    page = " ".join((ROOT / "docs" / "sensitivity.md").read_text().split())
    (false,) = re.findall(r"paired figures is reported for ([\d.]+)% of the releases", page)
    (two_percent,) = re.findall(r"\| any of the 3 \|(?: [\d.]+% \|){2} ([\d.]+)% \|", page)
    assert float(false) < 0.02
    assert float(two_percent) >= 99


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

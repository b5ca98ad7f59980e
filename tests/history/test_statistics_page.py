"""docs/statistics.md: the numbers in it are those of the code."""

import pytest

from harness.comparisons import compare, judge
from harness.history import agreement, change_point, detect, detector, fit, retest
from harness.lifecycles import blocks, metrics, plan
from harness.system.environment import ROOT

TEXT = " ".join((ROOT / "docs" / "statistics.md").read_text().split())


@pytest.mark.parametrize(
    "statement",
    [
        f"more than {blocks.MAX_STEAL:.0%} of the time".replace("%", " %"),
        f"{blocks.MAX_EXTRA_PRESSURE * 100:.0f} percentage points longer",
        f"more than {blocks.MAX_CONTROL_RATIO} times its median",
        f"wider than {plan.MAX_REL_CI * 100:.0f} % on either side",
        f"| times | {metrics.MIN_RELATIVE_CHANGE['seconds'] * 100:.0f} % | "
        f"{metrics.MIN_ABSOLUTE_CHANGE['seconds'] * 1e6:.0f} microseconds |",
        f"| memory | {metrics.MIN_RELATIVE_CHANGE['bytes'] * 100:.1f} % | "
        f"{metrics.MIN_ABSOLUTE_CHANGE['bytes'] / 1024:.0f} KiB",
        f"{fit.LOSS_BOUND**2:.0f} σ²) + {fit.PENALTY:.0f} σ² · number of changes",
        f"⌈{fit.PENALTY:.0f} / {fit.LOSS_BOUND**2:.0f}⌉ = {fit.MIN_SEGMENT} releases",
        f"by more than {fit.MIN_DRIFT_MARGIN:.0f} σ² of the bounded loss",
        f"up to {detector.WINDOW} releases on either side",
        f"{detector.HODGES_LEHMANN_ERROR} = √(π/3)",
        f"with {2 * detector.WINDOW - 2} degrees of freedom",
        f"a penalty of only {detector.CANDIDATE_PENALTY:.0f} σ²",
        f"p < {detector.CANDIDATE_P}",
        f"= {detect.FALSE_ALARM_RATE} / (places of all series)",
        f"less than {change_point.MIN_COUNT_CHANGE * 100:.0f} %, and of a single garbage collection",
        f"{judge.FALSE_ALARM_RATE} / (number of tests left)",
    ],
)
def test_a_number_on_the_page_is_that_of_the_code(statement: str) -> None:
    assert statement in TEXT


def test_numbers_in_words_are_those_of_the_code() -> None:
    assert detector.MAX_NOISE_LEFT == 1 - 1 / 5, "at least a fifth"
    assert agreement.MIN_SHARE == retest.REFUTE_SHARE == 1 / 2, "half"
    assert detect.MIN_RELEASES == 8, "eight releases"
    assert judge.MIN_PAIRS == 6, "six pairs"
    assert (judge.POWER, judge.FALSE_ALARM_RATE / 2) == (0.8, 0.01), "80 % probability, t(1 - 0.01/m)"
    assert compare.WORKER_FACTOR == 3, "three times the workers"
    assert compare.ComparisonSettings().pairs == 10, "ten by default"
    assert compare.ComparisonSettings().tolerate == 0.03, "3 % by default"

"""The level of a figure: over which releases it is a mean, and how parents count."""

from math import sqrt

import pytest

from harness.history import level
from harness.history.changes import Changes, CountChange
from harness.history.level import ParentFigures
from harness.history.paired import PairedChange


def paired(release: str, metric: str, strategy: str) -> PairedChange:
    return PairedChange("", release, metric, strategy, "none", 1.1, 1.09, 1.11, 1e-9, 20, 0.01, "here")


def counted(release: str, strategy: str) -> CountChange:
    return CountChange("", release, "modules", strategy, "modules", 100, 110)


CERTAIN = (
    paired("2.0.9", "uss", "spawn"),
    paired("2.0.10", "time_to_first_row", "spawn"),
    paired("2.1.0", "uss", "fork_dispose"),
)
CHANGES = Changes(CERTAIN, (counted("2.0.41", "fork_dispose"),), 0, (), CERTAIN)


@pytest.mark.parametrize(
    ("metric", "strategy", "release"),
    [
        ("uss", "spawn", "2.0.9"),
        ("time_to_first_row", "spawn", "2.0.10"),
        ("uss", "forkserver", "2.0.9"),  # the same code as spawn
        ("uss", "fork_dispose", "2.1.0"),
        ("second_query", "fork_nodispose", "2.0.41"),  # a count of its work
        ("second_query", "spawn", ""),
        ("uss", "mine", "2.1.0"),  # of any strategy
    ],
)
def test_a_level_begins_at_the_last_change_of_the_figure_or_of_the_work(
    metric: str, strategy: str, release: str
) -> None:
    assert level.last_change(CHANGES, metric, strategy) == release


FIGURES = {
    "2.0.9": ParentFigures([9.0], 5),
    "2.0.10": ParentFigures([2.0], 1),
    "2.1.0": ParentFigures([8.0], 1),
    "2.1.1": ParentFigures([5.0], 1),
}


def test_it_is_the_geometric_mean_from_there_to_the_newest_release() -> None:
    found = level.level(FIGURES, "2.1.0", "2.0.10")
    assert found
    assert (found.first, list(found.medians), found.parents) == ("2.0.10", ["2.0.10", "2.1.0"], 2)
    assert found.mean == pytest.approx(4.0)


def test_every_parent_counts_once_whether_stored_or_only_as_a_median() -> None:
    found = level.level({"2.1.0": ParentFigures([1.0, 4.0], 2), "2.1.1": ParentFigures([8.0], 2)}, "2.1.1")
    assert found
    assert found.parents == 4
    assert found.mean == pytest.approx(sqrt(sqrt(1 * 4 * 8 * 8)))


def test_a_figure_that_is_zero_has_no_level() -> None:
    assert level.level({"2.1.0": ParentFigures([0.0], 5)}, "2.1.0") is None

"""Positions, ticks and paths of charts."""

from itertools import pairwise, product
from math import inf

import pytest

from harness.answer.figures.results import Figure, ReleaseResults
from harness.site import charts


def seconds(median: float, spread: float = 0.0) -> Figure:
    return Figure(median, median - spread, median + spread, "seconds")


@pytest.mark.parametrize(
    ("low", "high", "wanted", "ticks"),
    [
        (0, 100, 4, [0, 25, 50, 75, 100]),
        (0, 1, 4, [0, 0.25, 0.5, 0.75, 1]),
        (3, 17, 4, [5, 10, 15]),
        (-1, 1, 4, [-1, -0.5, 0, 0.5, 1]),
        (0.0021, 0.0029, 4, [0.0022, 0.0024, 0.0026, 0.0028]),
        (240, 262, 3, [240, 250, 260]),
    ],
)
def test_ticks_are_round_and_within_the_axis(
    low: float, high: float, wanted: int, ticks: list[float]
) -> None:
    assert charts.ticks(low, high, wanted) == pytest.approx(ticks)


@pytest.mark.parametrize(("low", "high"), [(5, 5), (5, 4)])
def test_an_axis_without_length_has_no_ticks(low: float, high: float) -> None:
    assert charts.ticks(low, high) == []


def test_there_are_a_few_ticks_at_any_scale() -> None:
    for exponent, width in product(range(-6, 7), (1.0, 1.3, 2.0, 3.7, 5.0, 7.9, 9.99)):
        ticks = charts.ticks(0.0, width * 10.0**exponent)
        assert 2 <= len(ticks) <= 6
        steps = [after - before for before, after in pairwise(ticks)]
        assert steps == pytest.approx([steps[0]] * len(steps))


@pytest.mark.parametrize(
    ("part", "text"), [(0, "0"), (1, "100"), (0.5, "50"), (1 / 3, "33.3"), (0.9999, "100"), (0.0004, "0")]
)
def test_percent_has_no_needless_zero(part: float, text: str) -> None:
    assert charts.percent(part) == text


def test_a_path_is_relative_to_the_point_before() -> None:
    assert charts.path([(5, 7)]) == "M5 7l"
    assert charts.path([(0, 100), (10, 90), (5, 95), (5, 95)]) == "M0 100l10-10-5 5 0 0"


def release(**metrics: Figure) -> ReleaseResults:
    return ReleaseResults("2.1.9", {(name, "spawn", "none"): figure for name, figure in metrics.items()})


def test_the_phases_of_a_bar_add_up_to_the_time_to_the_first_row() -> None:
    figures = release(
        time_to_first_row=seconds(0.2, 0.02),
        startup=seconds(0.15),
        first_query=seconds(0.06),
        engine=seconds(0.01),
    )
    bar = charts.bar(figures, "spawn", "none", 0.4)
    assert [segment.phase for segment in bar.segments] == ["startup", "engine", "first_row"]
    # 150 + 10 + 50 ms are more than the measured 200 ms: the bar ends where that does.
    assert [segment.width for segment in bar.segments] == ["35.7", "2.4", "11.9"]
    assert [segment.text for segment in bar.segments] == ["150", "10.0", "50.0"]
    assert (bar.low, bar.span) == ("45", "10")


def test_a_bar_with_a_negative_rest_has_no_negative_width() -> None:
    figures = release(time_to_first_row=seconds(0.1), first_query=seconds(0.01), engine=seconds(0.02))
    bar = charts.bar(figures, "spawn", "none", 0.1)
    assert [segment.width for segment in bar.segments] == ["100", "0"]


def test_an_interval_that_is_not_known_is_drawn_without_width() -> None:
    unknown = Figure(0.1, -inf, inf, "seconds")
    bar = charts.bar(release(time_to_first_row=unknown), "spawn", "none", 0.2)
    assert (bar.low, bar.span) == ("50", "0")
    assert charts.panel(["1", "2"], [unknown, unknown], "seconds", []).line == "M250 100l500 0"


def test_what_was_not_measured_has_no_bar() -> None:
    assert charts.bar(release(startup=seconds(1)), "spawn", "none", 1.0) is None
    assert charts.bar(release(time_to_first_row=seconds(1)), "spawn", "none", 0.0) is None
    assert charts.longest(release(), ["spawn"], "none") == 0.0


def test_the_axis_of_bars_ends_at_the_highest_interval() -> None:
    figures = release(time_to_first_row=seconds(0.2, 0.05))
    assert charts.longest(figures, ["spawn", "fork_dispose"], "none") == 0.25


def test_a_panel_is_interrupted_where_a_release_is_missing() -> None:
    figures = [seconds(0.1, 0.01), None, seconds(0.2, 0.01), seconds(0.2, 0.01)]
    panel = charts.panel(["1", "2", "3", "4"], figures, "seconds", ["3"])
    assert panel.line.count("M") == 2
    assert panel.band.count("z") == 2
    assert panel.steps == (("50", "3"),)
    assert panel.unit == "ms"
    assert [text for _, text in panel.rows] == ["100", "150", "200"]


def test_a_panel_of_equal_figures_has_a_scale_of_five_per_cent() -> None:
    panel = charts.panel(["1", "2"], [seconds(0.1), seconds(0.1)], "seconds", [])
    assert panel.line == "M250 100l500 0"
    assert panel.rows
    assert charts.panel(["1"], [None], "seconds", []) is None

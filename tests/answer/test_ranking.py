"""Which rows rank: by pairs of many releases, or by the widened intervals of one run."""

import json
import random
from itertools import combinations
from math import exp
from statistics import fmean, geometric_mean, median

import pytest

from harness.answer.figures import ranking
from harness.answer.figures.ranking import CellFigure, MedianRange, Order
from harness.lifecycles import intervals, metrics
from harness.system.environment import ROOT
from tests.support.results import answer

METRIC = "first_query"


def figure(*medians: float, strategy: str = "spawn", metric: str = METRIC) -> CellFigure:
    """A level of releases with these medians, in seconds or bytes."""
    by_release = {f"2.1.{number}": value for number, value in enumerate(medians)}
    return CellFigure(MedianRange(fmean(medians), 0.0, 1.0, by_release=by_release), metric, strategy)


def run(median: float, low: float, high: float, strategy: str = "spawn") -> CellFigure:
    """A figure of one run."""
    return CellFigure(MedianRange(median, low, high), METRIC, strategy)


EIGHT = (0.9e-2, 1.1e-2) * 4
"""Runs that differ by a fifth."""


def test_many_releases_that_agree_rank_although_their_ranges_overlap() -> None:
    dearer = [1.03 * value for value in EIGHT]
    assert min(dearer) < max(EIGHT)
    assert ranking.order(figure(*EIGHT), figure(*dearer)) is Order.SMALLER
    assert ranking.order(figure(*dearer), figure(*EIGHT)) is Order.LARGER


def test_one_release_that_disagrees_is_enough_to_say_nothing() -> None:
    dearer = [1.03 * value for value in EIGHT]
    dearer[3] = 0.99 * EIGHT[3]
    assert ranking.order(figure(*EIGHT), figure(*dearer)) is Order.UNKNOWN


def test_a_difference_that_is_too_small_to_count_does_not_rank() -> None:
    assert metrics.min_relevant_change(METRIC, 0.01) == 0.01
    assert ranking.order(figure(*EIGHT), figure(*(1.009 * value for value in EIGHT))) is Order.UNKNOWN


def test_fewer_releases_rank_by_widened_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "widening", lambda *_: 0.1)
    assert run(1.0, 0.9, 1.1).widened == pytest.approx((0.9 / 1.1, 1.21))
    assert ranking.order(run(1.0, 0.9, 1.1), run(1.4, 1.3, 1.5)) is Order.UNKNOWN
    assert ranking.order(run(1.0, 0.9, 1.1), run(1.5, 1.4, 1.6)) is Order.SMALLER
    assert ranking.order(figure(*EIGHT[:7]), figure(*(2 * value for value in EIGHT[:7]))) is Order.UNKNOWN


def test_releases_of_which_only_one_figure_is_known_are_no_pairs() -> None:
    other = figure(*(2 * value for value in EIGHT))
    renamed = {f"2.0.{number}": value for number, value in enumerate(EIGHT)}
    one = CellFigure(MedianRange(0.01, 0.0, 1.0, by_release=renamed), METRIC, "spawn")
    assert ranking.order(one, other) is Order.UNKNOWN


def test_rows_are_joined_of_which_no_two_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "widening", lambda *_: 0.0)
    bounds = {"a": (1.0, 2.0), "b": (1.9, 3.0), "c": (2.9, 4.0), "d": (5.0, 6.0)}
    rows = [run(median(ends), *ends, name) for name, ends in bounds.items()]
    assert ranking.alike(rows) == [["a", "b"], ["b", "c"]]
    everything = run(1.0, 0.0, 9.0, "e")
    assert ranking.alike([*rows, everything]) == [["a", "b", "e"], ["b", "c", "e"], ["d", "e"]]


def test_equal_figures_rank_once_in_a_hundred_times() -> None:
    """Nothing but noise of 15 % between runs, of which neighbours share most."""
    rng, ranked = random.Random(1), 0
    for _ in range(4000):
        shared = [rng.gauss(0, 0.15) for _ in range(ranking.MIN_PAIRS)]
        one, other = (
            figure(*(0.01 * exp(moment + rng.gauss(0, 0.04)) for moment in shared)) for _ in range(2)
        )
        ranked += ranking.order(one, other) is not Order.UNKNOWN
    assert 0 < ranked / 4000 < 0.012


def test_no_ranking_of_the_answer_is_turned_round_by_ten_runs_on_another_machine() -> None:
    """The answer is of releases on one type of machine, the A/A runs of one release on another."""
    record = json.loads((ROOT / "records" / "sensitivity.json").read_text())
    runs = {
        (each["metric"], each["strategy"]): [geometric_mean(run) for run in each["runs"]]
        for each in record["figures"]
        if each["dataframe"] == "none" and each["metric"] in metrics.METRICS
    }
    orders = {}
    for metric in ("time_to_first_row", "first_query", "second_query", "uss"):
        names = [name for measured, name in runs if measured == metric]
        for pair in combinations(names, 2):
            estimates = [answer().of(metric, name) for name in pair]
            one, other = (
                CellFigure(each, metric, name) for each, name in zip(estimates, pair, strict=True) if each
            )
            there = [figure(*runs[metric, name], strategy=name, metric=metric) for name in pair]
            orders[metric, *pair] = ranking.order(one, other), ranking.order(*there)
    contradictions = [key for key, found in orders.items() if set(found) == {Order.SMALLER, Order.LARGER}]
    assert contradictions == []
    assert sum(Order.UNKNOWN not in found for found in orders.values()) > 20

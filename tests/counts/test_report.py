"""Tables of counts: what a distance adds, and that they fit a terminal."""

import io

import pytest
from rich.console import Console

from harness import strategies
from harness.counts import report

FIGURES = {
    "statements_first_query": 12,
    "statements_second_query": 3,
    "round_trips_first_query": 14,
    "round_trips_second_query": 3,
    "calls_first_query": 24616,
    "calls_second_query": 125,
    "modules": 229,
    "code_bytes": 6327964,
}


def text(table):
    out = io.StringIO()
    Console(file=out, width=80).print(table)
    return out.getvalue()


def test_a_distance_is_paid_for_each_round_trip():
    assert report.added(14, 0.05) == pytest.approx(0.7)
    assert "14 / 3 140 / 30 700 / 150" in " ".join(text(report.distances({"spawn": FIGURES})).split())


def test_the_tables_fit_a_terminal():
    found = dict.fromkeys(strategies.IDS, FIGURES)
    shown = text(report.figures(found, "title")) + text(report.distances(found))
    assert "…" not in shown
    assert all(name in shown for name in strategies.IDS)

"""Tables of counts: what a distance adds, and that they fit a terminal."""

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


def test_a_distance_is_paid_for_each_round_trip():
    assert report.distances({"spawn": FIGURES}) == [["spawn", "14 / 3", "140 / 30", "700 / 150"]]


def test_the_tables_fit_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    report.show("2.1.9", dict.fromkeys(strategies.IDS, FIGURES))
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert all(shown.count(f"{name} ") == 2 for name in strategies.IDS)


def test_csv_has_a_row_for_each_strategy_and_count():
    found = list(report.records("2.1.9", dict.fromkeys(strategies.IDS, FIGURES)))
    assert len(found) == len(strategies.IDS) * len(FIGURES)
    assert {tuple(row) for row in found} == {report.FIELDS}

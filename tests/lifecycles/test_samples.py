"""Every metric is the stretch of a lifecycle that its name says, and a parent is one sample of it."""

from dataclasses import replace

from harness.lifecycles.samples import METRICS, Lifecycle, of_parent, spread

REPORT = {
    "called": 1_000,
    "returned": 1_003,
    "released": 3_000,
    "reaped": 3_500,
    "collections": [7, 2, 1],
    "worker": {
        "mark": "forked",
        "started": 1_010,
        "usable": 1_110,
        "first_row": 1_310,
        "second_row": 1_710,
        "collections": [[7, 2, 1], [8, 2, 1], [8, 3, 1], [8, 3, 2]],
        "memory": {"uss": 1, "pss": 2, "rss": 3, "peak": 4, "page_tables": 5},
        "collect": 600,
        "memory_collected": {"uss": 6},
    },
}
"""Nanoseconds; every stretch has a length of its own."""

NANOSECONDS = {
    "blocked": 3,
    "startup": 10,
    "engine": 100,
    "first_query": 300,
    "time_to_first_row": 310,
    "second_query": 400,
    "exit": 500,
    "collect": 600,
}
BYTES = {"uss": 1, "pss": 2, "rss": 3, "peak": 4, "page_tables": 5, "uss_collected": 6}

LIFE = Lifecycle.from_report(REPORT, first=False)


def test_each_metric_is_its_own_stretch() -> None:
    found = {metric: read(LIFE) for metric, read in METRICS.items()}
    in_bytes = {metric: found.pop(metric) for metric in BYTES}
    assert {metric: round((seconds or 0) * 1e9) for metric, seconds in found.items()} == NANOSECONDS
    assert in_bytes == BYTES


def test_collections_are_counted_by_phase_from_where_the_worker_began() -> None:
    assert LIFE.collections == ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    worker = {**REPORT["worker"], "mark": None}  # type: ignore[dict-item]
    spawned = Lifecycle.from_report({**REPORT, "worker": worker}, first=False)
    assert spawned.collections[0] == (7, 2, 1)


def test_a_parent_is_one_sample_and_its_first_worker_is_reported_apart() -> None:
    lives = [
        replace(LIFE, first=number == 0, start=float(start)) for number, start in enumerate([90, 1, 2, 9])
    ]
    found = of_parent(lives)
    assert found["startup"] == 2
    assert found["first_worker"] == lives[0].time_to_first_row
    assert found.keys() == {*METRICS, "first_worker"}


def test_a_spread_is_half_the_distance_around_the_median() -> None:
    assert spread(0.001, 0.002, 0.004, 1e3) == "2.0 ±1.5"
    assert spread(0.199, 0.2, 0.203, 1e3) == "200 ±2.0"

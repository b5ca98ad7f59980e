"""Each metric is read from its part of the report, and a parent is one sample."""

from dataclasses import replace

from harness.lifecycles.metrics import METRICS
from harness.lifecycles.samples import Lifecycle, of_parent

REPORT = {
    "called": 1_000,
    "returned": 1_003,
    "cpu_called": 40,
    "cpu_returned": 42,
    "released": 3_000,
    "reaped": 3_500,
    "collections": [7, 2, 1],
    "worker": {
        "mark": "forked",
        "started": 1_010,
        "usable": 1_110,
        "first_row": 1_310,
        "second_row": 1_710,
        "cpu_started": 5,
        "cpu_usable": 55,
        "cpu_first_row": 205,
        "cpu_second_row": 555,
        "collections": [[7, 2, 1], [8, 2, 1], [8, 3, 1], [8, 3, 2]],
        "memory": {"uss": 1, "pss": 2, "rss": 3, "peak": 4, "page_tables": 5},
        "collect": 600,
        "memory_collected": {"uss": 6},
    },
}
"""Timestamps in nanoseconds: each interval has another length."""

NANOSECONDS = {
    "blocked": 3,
    "startup": 10,
    "engine": 100,
    "first_query": 300,
    "time_to_first_row": 310,
    "first_worker": 310,
    "second_query": 400,
    "exit": 500,
    "collect": 600,
    "cpu_start": 2,
    "cpu_startup": 5,
    "cpu_engine": 50,
    "cpu_first_query": 200,
    "cpu_first_row": 205,
    "cpu_second_query": 350,
}
BYTES = {"uss": 1, "pss": 2, "rss": 3, "uss_collected": 6}

LIFE = Lifecycle.from_report(REPORT, first=False)


def test_each_metric_is_read_from_its_own_interval_or_reading() -> None:
    found = dict(LIFE.values)
    in_bytes = {metric: found.pop(metric) for metric in BYTES}
    assert {metric: round(seconds * 1e9) for metric, seconds in found.items()} == NANOSECONDS
    assert in_bytes == BYTES


def test_collections_are_counted_by_phase_from_the_start_of_the_worker() -> None:
    assert LIFE.collections == ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    worker = {**REPORT["worker"], "mark": None}  # type: ignore[dict-item]
    spawned = Lifecycle.from_report({**REPORT, "worker": worker}, first=False)
    assert spawned.collections[0] == (7, 2, 1)


def test_a_parent_is_the_median_of_its_later_workers_and_its_first_worker_is_separate() -> None:
    lifecycles = [
        replace(LIFE, first=number == 0, values={**LIFE.values, "startup": startup, "first_worker": 7.0})
        for number, startup in enumerate([90.0, 1.0, 2.0, 9.0])
    ]
    found = of_parent(lifecycles)
    assert found["startup"] == 2
    assert found["first_worker"] == 7.0
    assert found.keys() == METRICS.keys()

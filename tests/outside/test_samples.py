"""Every metric is the stretch of a lifecycle that its name says."""

from harness.outside.samples import METRICS, Lifecycle, samples, spread

REPORT = {
    "called": 1_000,
    "returned": 1_003,
    "released": 3_000,
    "reaped": 3_500,
    "worker": {
        "started": 1_010,
        "usable": 1_110,
        "first_row": 1_310,
        "second_row": 1_710,
        "memory": {"uss": 1, "pss": 2, "rss": 3, "peak": 4},
    },
}
"""Nanoseconds; every stretch has a length of its own."""

NANOSECONDS = {
    "blocked": 3,
    "startup": 10,
    "first_query": 300,
    "time_to_first_row": 310,
    "second_query": 400,
    "exit": 500,
}
BYTES = {"uss": 1, "pss": 2, "rss": 3, "peak": 4}


def test_each_metric_is_its_own_stretch() -> None:
    life = Lifecycle.from_report(REPORT, first=True)
    found = {metric: samples([life], metric)[0] for metric in METRICS}
    in_bytes = {metric: found.pop(metric) for metric in BYTES}
    assert {metric: round(seconds * 1e9) for metric, seconds in found.items()} == NANOSECONDS
    assert in_bytes == BYTES


def test_first_workers_are_reported_apart_and_counted_with_the_others() -> None:
    lives = [Lifecycle.from_report(REPORT, first=number % 5 == 0) for number in range(15)]
    assert len(samples(lives, "first_worker")) == 3
    assert len(samples(lives, "time_to_first_row")) == 15


def test_a_spread_is_half_the_interquartile_range() -> None:
    assert spread(0.001, 0.002, 0.004, 1e3) == "2.0 ±1.5"
    assert spread(0.199, 0.2, 0.203, 1e3) == "200 ±2.0"

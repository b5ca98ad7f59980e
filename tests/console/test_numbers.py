"""Numbers are shown with as many digits as they are worth."""

import math

import pytest

from harness.console.numbers import digits, display_unit, duration, two_digits, with_interval


def test_plus_minus_is_half_of_the_interval() -> None:
    assert with_interval(0.002, 0.001, 0.004, 1e3) == "2.0 ±1.5"
    assert with_interval(0.2, 0.199, 0.203, 1e3) == "200 ±2.0"
    assert with_interval(0.2, -math.inf, math.inf, 1e3) == "200"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.0049, "0"),
        (0.005, "0.01"),
        (0.946, "0.95"),
        (0.95, "0.9"),
        (9.96, "10.0"),
        (99.4, "99.4"),
        (99.6, "100"),
        (12345.6, "12346"),
    ],
)
def test_digits(value: float, text: str) -> None:
    assert digits(value) == text


def test_times_are_shown_in_ms_memory_in_mib_and_counts_as_they_are() -> None:
    assert display_unit("seconds") == ("ms", 1000)
    assert display_unit("bytes") == ("MiB", 1 / 1024**2)
    assert display_unit("round trips") == ("round trips", 1)


def test_durations_are_as_people_say_them() -> None:
    assert [duration(seconds) for seconds in (0.2, 40, 720, 5400)] == [
        "1 s",
        "40 s",
        "12 min",
        "1.5 h",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(217.4, "220"), (99.6, "100"), (28.48, "28"), (9.96, "10"), (7.35, "7.3"), (0.2898, "0.29"), (0, "0")],
)
def test_two_digits_are_two_digits(value: float, text: str) -> None:
    assert two_digits(value) == text

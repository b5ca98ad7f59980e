"""Numbers as people read them: units, significant digits, a median with its interval."""

from math import floor, isfinite, log10

DISPLAY_UNITS = {"seconds": ("ms", 1e3), "bytes": ("MiB", 1 / 2**20)}
"""The unit that is shown for each stored unit, and the factor to it."""

INTERVAL = "± is half of the 99 % interval of the median"
"""The one meaning of ±, which `harness.lifecycles.intervals.caption` states beside every table with it."""


def display_unit(unit: str) -> tuple[str, float]:
    """The unit that is shown for a stored unit, and the factor to it; counts are shown as they are stored."""
    return DISPLAY_UNITS.get(unit, (unit, 1.0))


def with_interval(median: float, low: float, high: float, factor: float) -> str:
    """`7.4 ±0.95`: a median, and half of its 99 % interval from `low` to `high`; all multiplied by `factor`.

    Only the median if the interval is not finite, because there were too few samples.
    """
    return f"{digits(median * factor)} {plus_minus(low, high, factor)}".rstrip()


def plus_minus(low: float, high: float, factor: float) -> str:
    """`±0.95`: half of an interval; empty if the interval is not finite."""
    half = (high - low) / 2 * factor
    return f"±{digits(half)}" if isfinite(half) else ""


def digits(value: float) -> str:
    """A number of zero or more with two or three significant digits, and no more than two decimals."""
    if value >= 99.5:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2f}" if value >= 0.005 else "0"


def two_digits(value: float) -> str:
    """A number of zero or more with two significant digits: `220`, `7.4`, `0.29`."""
    if not value:
        return "0"
    rounded = float(f"{value:.2g}")
    return f"{rounded:.{max(0, 1 - floor(log10(rounded)))}f}"


def duration(seconds: float) -> str:
    """A duration for people: `40 s`, `12 min`, `1.5 h`."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def task_length(seconds: float) -> str:
    """The length of a task or a life to two digits: `20 ms`, `1.5 s`, `21 s`."""
    value, unit = (seconds, "s") if seconds >= 0.95 else (seconds * 1e3, "ms")
    return f"{float(f'{value:.2g}'):g} {unit}"

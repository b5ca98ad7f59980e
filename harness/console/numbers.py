"""Numbers as people read them: units, significant digits, a median with its spread."""

DISPLAY_UNITS = {"seconds": ("ms", 1e3), "bytes": ("MiB", 1 / 2**20)}
"""Of stored units: the unit that is shown, and the factor to it."""


def display_unit(unit: str) -> tuple[str, float]:
    """The unit that is shown for a stored unit, and the factor to it; counts are shown as they are stored."""
    return DISPLAY_UNITS.get(unit, (unit, 1.0))


def spread(low: float, median: float, high: float, factor: float) -> str:
    """`median ±half`, where half is half the distance from `low` to `high`; all multiplied by `factor`."""
    return f"{digits(median * factor)} ±{digits((high - low) / 2 * factor)}"


def digits(value: float) -> str:
    """A number of zero or more with two or three significant digits, and no more than two decimals."""
    if value >= 99.5:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2f}" if value >= 0.005 else "0"

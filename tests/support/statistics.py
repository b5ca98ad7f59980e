"""Two programs that measure the same thing, compared by pairs."""

from collections.abc import Sequence
from statistics import median, quantiles

NOISE = 3.0
"""Standard errors by which a difference has to be beyond its band: samples and parents leave something
uncertain, more of it on a loaded machine."""


def surely_beyond(difference: float, band: float, doubt: float) -> bool:
    return abs(difference) - NOISE * doubt > band


def compared(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """How much more the second has than the first, as a part of it, and the standard error of that.

    The two of a pair were measured one right after the other: what the machine does to both is in no ratio.
    """
    ratios = [second / first for first, second in pairs]
    return median(ratios) - 1, standard_error(ratios)


def standard_error(values: Sequence[float]) -> float:
    """Of a median, from the quartiles."""
    low, _, high = quantiles(values, n=4)
    return 1.25 * (high - low) / 1.35 / len(values) ** 0.5

"""Two programs that measure the same thing, compared by pairs."""

from collections.abc import Sequence
from statistics import mean, median, quantiles, stdev

from scipy.stats import t

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


def of_blocks(blocks: Sequence[Sequence[tuple[float, float]]]) -> tuple[float, float]:
    """As `compared`, of several blocks of pairs, each with a pair of processes of its own.

    Pairs of a block share what is peculiar to its processes, so that a block counts as one value. With few of
    them their scatter is uncertain itself: the standard error is enlarged until `NOISE` times it is exceeded
    as rarely as with many.
    """
    differences = [compared(pairs)[0] for pairs in blocks]
    enlarged = t.isf(t.sf(NOISE, 1_000_000), len(blocks) - 1) / NOISE
    return mean(differences), enlarged * stdev(differences) / len(blocks) ** 0.5


def standard_error(values: Sequence[float]) -> float:
    """Of a median, from the quartiles."""
    low, _, high = quantiles(values, n=4)
    return 1.25 * (high - low) / 1.35 / len(values) ** 0.5

"""Verdicts on paired measurements; docs/statistics.md explains them and names the sources."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, expm1, inf, log, log1p
from statistics import mean, median, stdev

from scipy.stats import t as student
from scipy.stats import ttest_1samp

from harness.comparisons.pairs import Sample
from harness.lifecycles import metrics

FALSE_ALARM_RATE = 0.02
"""The probability that a comparison of a thing with itself calls any of its figures slower or faster."""

CONFIDENCE = 0.99
"""Of the interval of one ratio."""

CANNOT_TELL = "cannot tell"
"""The verdict on a figure of which nothing is certain."""

POWER = 0.8
"""The probability with which a figure that is worse by `ComparisonRow.detectable` fails the comparison."""

MIN_PAIRS = 6
"""Pairs below which nothing is judged."""

CONSTANT = 1e-12
"""The range of logarithms below which they are equal: their differences are those of rounding."""

FigureKey = tuple[str, str, str]
"""Metric, strategy and DataFrame setting."""


@dataclass(frozen=True)
class ComparisonRow:
    """One figure of both sides."""

    metric: str
    strategy: str
    """Of both sides, or `first -> second` where strategies are compared."""
    dataframe: str
    pairs: int
    first: float
    second: float
    """Medians over the pairs, in seconds or bytes."""
    ratio: float
    """Second to first: the geometric mean over the pairs."""
    low: float
    high: float
    """The ratio's 99 % interval; 0 and infinity where there are too few pairs."""
    p: float
    """The probability of such a ratio, or one farther from 1, if the sides do not differ."""
    verdict: str
    """`slower`, `faster`, `same` or `cannot tell`; more memory is `slower` too."""
    limit: float
    """What is tolerated of this figure, relative: at least the smallest change that counts."""
    detectable: float
    """The relative change that would have been found to be worse, with the probability `POWER`; infinite
    where there are too few pairs."""

    @property
    def worse(self) -> bool:
        """Whether the second side is certainly slower, or larger, by more than is tolerated."""
        return self.verdict == "slower" and self.low > 1 + self.limit

    @property
    def undecided(self) -> bool:
        """Whether the second side may or may not be worse."""
        return not self.worse and self.high > 1 + self.limit

    @property
    def outcome(self) -> str:
        """`worse`, `undecided` or `passed`: what the exit status of a comparison depends on."""
        return "worse" if self.worse else "undecided" if self.undecided else "passed"


def find(rows: Iterable[ComparisonRow], metric: str, strategy: str) -> ComparisonRow | None:
    """The row of one figure; None if it was not measured."""
    return next((row for row in rows if (row.metric, row.strategy) == (metric, strategy)), None)


def judge(measured: Mapping[FigureKey, Sequence[Sample]], tolerate: float) -> list[ComparisonRow]:
    """A row for each figure, with the verdict corrected for all of them together.

    `slower` or `faster` is a change that is significant and at least the smallest that counts; `same` is an
    interval within `tolerate`, relative, on both sides of 1.
    """
    tests = {key: paired_test([sample.ratio for sample in samples]) for key, samples in measured.items()}
    significant = holm([p for *_, p in tests.values()], FALSE_ALARM_RATE)
    rows = []
    for (key, (middle, low, high, p)), rejected in zip(tests.items(), significant, strict=True):
        samples = measured[key]
        first = median(sample.first for sample in samples)
        smallest = metrics.min_relevant_change(key[0], first)
        limit = max(tolerate, smallest)
        if rejected and abs(middle) >= log(1 + smallest):
            verdict = "slower" if middle > 0 else "faster"
        else:
            verdict = "same" if max(-low, high) <= log(1 + tolerate) else CANNOT_TELL
        rows.append(
            ComparisonRow(
                *key,
                pairs=len(samples),
                first=first,
                second=median(sample.second for sample in samples),
                ratio=exp(middle),
                low=exp(low),
                high=exp(high) if high < inf else inf,
                p=p,
                verdict=verdict,
                limit=limit,
                detectable=detectable([sample.ratio for sample in samples], limit, len(measured)),
            )
        )
    return rows


def paired_test(ratios: Sequence[float]) -> tuple[float, float, float, float]:
    """The mean logarithm of the ratios, its 99 % interval, and the p-value of Student's t-test against 0.

    With fewer than `MIN_PAIRS` ratios the interval is infinite, and p is 1.
    """
    logs = [log(ratio) for ratio in ratios]
    middle = mean(logs)
    if len(logs) < MIN_PAIRS:
        return middle, -inf, inf, 1.0
    if max(logs) - min(logs) < CONSTANT:
        return middle, middle, middle, 0.0 if abs(middle) > CONSTANT else 1.0
    test = ttest_1samp(logs, 0.0)
    interval = test.confidence_interval(CONFIDENCE)
    return middle, float(interval.low), float(interval.high), float(test.pvalue)


def detectable(ratios: Sequence[float], limit: float, tests: int) -> float:
    """The relative change that ratios as scattered as these would have shown, with the probability `POWER`.

    Shown means that the interval lies above `limit`, and that the change is significant among `tests` in the
    first step of Holm's procedure. Infinite with fewer than `MIN_PAIRS` ratios.
    """
    if len(ratios) < MIN_PAIRS:
        return inf
    degrees = len(ratios) - 1
    error = stdev(map(log, ratios)) / len(ratios) ** 0.5
    beyond_limit = log1p(limit) + student.ppf((1 + CONFIDENCE) / 2, degrees) * error
    significant = student.ppf(1 - FALSE_ALARM_RATE / tests / 2, degrees) * error
    return float(expm1(max(beyond_limit, significant) + student.ppf(POWER, degrees) * error))


def holm(ps: Sequence[float], alpha: float) -> list[bool]:
    """Which of the p-values are significant, all tests together, at a family-wise error rate of `alpha`.

    Source: Holm (1979), "A Simple Sequentially Rejective Multiple Test Procedure".
    """
    significant = [False] * len(ps)
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda number: ps[number])):
        if ps[index] > alpha / (len(ps) - rank):
            break
        significant[index] = True
    return significant

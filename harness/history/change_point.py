"""Change points: the releases from which on a metric of a cell has another level."""

from dataclasses import dataclass

from harness.counts.registry import COLLECTIONS
from harness.history.series import SeriesKey
from harness.lifecycles.metrics import MIN_RELATIVE_CHANGE

MIN_COUNT_CHANGE = 0.01
"""The least relative change of a count that is listed: counts change a little in nearly every release."""

MIN_COLLECTIONS_CHANGE = 2
"""The least change of garbage collections that is listed: one more follows from allocations elsewhere."""


@dataclass(frozen=True)
class ReleasePair:
    """One metric of one cell in two neighbouring releases."""

    previous: str
    release: str
    metric: str
    strategy: str
    dataframe: str


@dataclass(frozen=True)
class RetestOutcome:
    """What measuring both releases of a change point again, in interleaved pairs, says of it."""

    outcome: str
    """`confirmed`, `refuted` or `undecided`."""
    ratio: float
    """The release to the one before."""
    low: float
    high: float
    """The ratio's 99 % interval."""
    elsewhere: str = ""
    """The machine of the retest, where it is not that of the series."""

    @property
    def where(self) -> str:
        return f", on {self.elsewhere}" if self.elsewhere else ""

    def __str__(self) -> str:
        interval = f"{self.low - 1:+.1%} to {self.high - 1:+.1%}"
        return f"{self.outcome}: {self.ratio - 1:+.1%} ({interval}){self.where}"


@dataclass(frozen=True)
class ChangePoint:
    """A release from which on a metric has another level, or may have: then with the reason for doubt."""

    key: SeriesKey
    unit: str
    previous: str
    release: str
    """The first release with the new level."""
    before: float
    after: float
    """Medians of the releases on either side, in `unit`."""
    ratio: float
    """After to before."""
    low: float
    high: float
    """The ratio's 99 % interval."""
    p: float
    """The probability that noise alone shows such a shift at one place of one series."""
    reason: str = ""
    """Why it is only a candidate; empty for a real step."""
    retest: RetestOutcome | None = None

    @property
    def real(self) -> bool:
        return not self.reason

    @property
    def minor(self) -> bool:
        """Whether it is a change of a count too small to be listed."""
        if self.unit in MIN_RELATIVE_CHANGE:
            return False
        if self.unit == COLLECTIONS and abs(self.after - self.before) < MIN_COLLECTIONS_CHANGE:
            return True
        return 1 - MIN_COUNT_CHANGE < self.ratio < 1 + MIN_COUNT_CHANGE

    @property
    def release_pair(self) -> ReleasePair:
        """What a retest measures."""
        strategy, dataframe = self.key.parameters
        return ReleasePair(self.previous, self.release, self.key.metric, strategy, dataframe)

    @property
    def worse(self) -> bool:
        return self.ratio > 1


@dataclass(frozen=True)
class MinimumDetectableChange:
    """How small a change of one series can be and still be found."""

    key: SeriesKey
    unit: str
    noise: float
    """One standard deviation of a release's figure, relative."""
    change: float
    """The smallest relative change that would be found, with a full window of releases on either side."""
    near_an_end: tuple[float, ...] = ()
    """The same with fewer releases on one side: with `fit.MIN_SEGMENT` of them, with one more, and so on."""


@dataclass(frozen=True)
class ChangePoints:
    """All change points of a set of series."""

    found: tuple[ChangePoint, ...]
    """By release, benchmark and cell."""
    minimum_detectable: tuple[MinimumDetectableChange, ...]
    """One for each noisy series."""

    @property
    def steps(self) -> list[ChangePoint]:
        """Those that are beyond doubt."""
        return [change_point for change_point in self.found if change_point.real and not change_point.minor]

    @property
    def minor(self) -> list[ChangePoint]:
        """Changes of counts too small to be listed."""
        return [change_point for change_point in self.found if change_point.minor]

    @property
    def candidates(self) -> list[ChangePoint]:
        """Those in doubt, each with its reason."""
        return [change_point for change_point in self.found if not change_point.real]

"""How far the same figure of the same release is off on another day, and on another machine.

The records of pairs and of A/A runs hold medians of releases that `asv run` has measured as well, on other
days and machines.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from harness.history import paired, reference
from harness.history.sensitivity.record import RECORD, SensitivityRecord
from harness.lifecycles import intervals
from harness.lifecycles.metrics import Metric
from harness.records.provenance import Provenance

Figure = tuple[str, str, str, str]
"""Release, metric, strategy and DataFrame setting."""


@dataclass(frozen=True)
class RecordedMedian:
    """A median that a record holds."""

    figure: Figure
    value: float
    """In seconds or bytes."""
    provenance: Provenance


@dataclass(frozen=True)
class Differences:
    """The largest relative differences by metric."""

    day: dict[str, float] = field(default_factory=dict)
    """On the same machine on another day."""
    machine: dict[str, float] = field(default_factory=dict)
    """On another machine."""

    def sentence(self, shown: Iterable[Metric]) -> str:
        """How far these metrics were off in another run, on another day and on another machine."""
        sizes = "; ".join(
            f"{metric.short} {size(intervals.between_runs(metric.id))}, {size(self.day.get(metric.id))} and"
            f" {size(self.machine.get(metric.id))}"
            for metric in dict.fromkeys(shown)
        )
        return (
            "Figures of the same release in another run, on another day and on another machine were off by"
            f" up to: {sizes}."
        )


def size(difference: float | None) -> str:
    return "n/a" if difference is None else intervals.percent(difference)


def on_record() -> Iterator[RecordedMedian]:
    """The medians that the records hold. Raises `PoolstartError` for a damaged record."""
    for pair in paired.rows():
        for release, value in ((pair.previous, pair.before), (pair.release, pair.after)):
            figure = release, pair.metric, pair.strategy, pair.dataframe
            yield RecordedMedian(figure, value, pair.provenance)
    for row in reference.load():
        for metric, value in row.sizes.items():
            figure = row.before or reference.REFERENCE, metric, row.strategy, "none"
            yield RecordedMedian(figure, value, row.provenance)
    if RECORD.exists():
        record = SensitivityRecord.load(RECORD)
        for repeated in record.figures:
            cell = repeated.metric, repeated.strategy, repeated.dataframe
            value = median(map(median, repeated.runs))
            yield RecordedMedian((record.provenance.release, *cell), value, record.provenance)


def differences(
    measured: Mapping[Figure, float], machine: str, cpu: str, day: str, recorded: Iterable[RecordedMedian]
) -> Differences:
    """How far the recorded medians differ from those that a machine of results/ measured on a day.

    Some records name machines as results do, others by their hardware, which begins with `cpu`.
    """
    found = Differences()
    for each in recorded:
        value = measured.get(each.figure)
        recorded_by = each.provenance.machine
        same = recorded_by == machine or recorded_by.partition(",")[0] == cpu
        if value and not (same and each.provenance.day == day):
            by_metric = found.day if same else found.machine
            metric = each.figure[1]
            by_metric[metric] = max(by_metric.get(metric, 0.0), abs(each.value / value - 1))
    return found

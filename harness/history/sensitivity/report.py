"""The sensitivity page: how far the figures can be trusted, from the record of sensitivity."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from harness.console import markdown
from harness.history.sensitivity import simulated
from harness.history.sensitivity.injected import INJECTED_CHANGES
from harness.history.sensitivity.record import InjectionResult, SensitivityRecord
from harness.lifecycles import metrics
from harness.lifecycles.intervals import relative_range
from harness.lifecycles.metrics import Metric


@dataclass(frozen=True)
class MetricSpread:
    """How far the runs of one metric differ, in its steadiest and in its least steady cell."""

    metric: Metric
    steady: float
    unsteady: float
    """The range of the medians of the runs, relative to their median."""
    cell: str
    """The least steady one."""


def spreads(record: SensitivityRecord) -> list[MetricSpread]:
    """The spread of every metric of a record."""
    by_metric: dict[str, list[tuple[float, str]]] = {}
    for figure in record.figures:
        if figure.metric not in metrics.METRICS:
            continue
        spread = relative_range([median(run) for run in figure.runs])
        by_metric.setdefault(figure.metric, []).append((spread, f"`{figure.strategy}`, {figure.dataframe}"))
    return [
        MetricSpread(metrics.get(metric), min(sizes)[0], *max(sizes)) for metric, sizes in by_metric.items()
    ]


def load(path: Path) -> str:
    """The page of a record. Raises `PoolstartError` if it is damaged."""
    return page(SensitivityRecord.load(path), simulated.section())


def page(record: SensitivityRecord, comparisons: str = "") -> str:
    """The page as Markdown; `comparisons` is the section about simulated ones."""
    runs, measured = len(record.figures[0].runs), record.provenance
    meanwhile = (
        ", while another process kept a core busy for random tenths of the time" if record.loaded else ""
    )
    rows = [
        [row.metric.title, f"{row.steady:.1%}", f"{row.unsteady:.1%}", row.cell] for row in spreads(record)
    ]
    text = [
        "# How far the figures can be trusted\n",
        f"SQLAlchemy {measured.release} was measured {runs} times in a row (A/A){meanwhile}{measured.by}, "
        f"{measured.date}, in {record.seconds / 60:.0f} minutes; {measured.machine}; server "
        f"{measured.server}, instrument {record.instrument}. The table shows how far the medians of these "
        "runs differ, largest less smallest: compare a figure with another of the same run, never with one "
        "of another run. Changes between releases are measured in pairs, which this does not affect "
        "([statistics.md](statistics.md)).\n",
        markdown.table(["metric", "steadiest cell", "least steady cell", "which"], rows),
    ]
    if record.repetitions:
        text += [
            "## Injected changes\n",
            "Each was put into a copy of the release and compared with it, as `poolstart compare` does, by "
            "as many pairs of parents as it takes until the interval of a time is half as wide, on either "
            "side, as the change; counts and instructions by one worker each. Measured "
            f"{record.injected.date}{record.injected.by}{meanwhile}.\n",
            injected_changes(record),
        ]
    if comparisons and not record.loaded:
        text.append(comparisons)
    return "\n".join(text)


def injected_changes(record: SensitivityRecord) -> str:
    """A table of the injected changes: how often each was found, and what else was reported."""
    titles = {change.id: change.title for change in INJECTED_CHANGES}
    rows = []
    for name in dict.fromkeys(result.seed for result in record.repetitions):
        results = [result for result in record.repetitions if result.seed == name]
        expected = sorted({figure for result in results for figure in (*result.found, *result.missed)})
        unexpected = sorted({figure for result in results for figure in result.unexpected})
        rows.append(
            [
                titles.get(name, name),
                f"{sum(not result.missed for result in results)} of {len(results)}"
                if expected
                else f"none to find, {len(results)} comparisons",
                ", ".join(sizes(figure, results) for figure in expected),
                pairs(results),
                ", ".join(
                    f"{sizes(figure, results)}, "
                    f"{sum(figure in result.unexpected for result in results)} of {len(results)}"
                    for figure in unexpected
                )
                or "nothing",
            ]
        )
    return markdown.table(["change", "found", "measured size", "pairs of parents", "also reported"], rows)


def pairs(results: Sequence[InjectionResult]) -> str:
    numbers = {result.pairs for result in results if result.pairs}
    return " to ".join(map(str, sorted({min(numbers), max(numbers)}))) if numbers else ""


def sizes(figure: str, results: Sequence[InjectionResult]) -> str:
    """A figure with its measured changes: the median and the range. A failed check has none."""
    ratios = sorted(result.sizes[figure] for result in results if figure in result.sizes)
    if not ratios:
        return figure
    low, high = f"{ratios[0] - 1:+.1%}", f"{ratios[-1] - 1:+.1%}"
    return f"{figure} {median(ratios) - 1:+.1%}" + (f" ({low} to {high})" if low != high else "")

"""The sensitivity page: how far the figures can be trusted, from the record of sensitivity."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan, nan
from statistics import median

from asv_runner.statistics import compute_stats

from harness import strategies
from harness.console import markdown
from harness.history import detect
from harness.history.sensitivity.injected import INJECTED_CHANGES
from harness.history.sensitivity.record import InjectionResult, RepeatedFigure, SensitivityRecord
from harness.history.series import Series, SeriesKey
from harness.lifecycles import metrics
from harness.lifecycles.intervals import relative_range
from harness.system.memory import MIB

LAYOUTS = 20
"""Random orders in which the runs are laid out as releases."""

BENCHMARK = "runs.track_{}"

HEADER = (
    "metric", "strategy", "dataframe", "median", "spread", "divided by bare start", "target",
    "minimum detectable change", "intervals that hold the median",
)  # fmt: skip


@dataclass(frozen=True)
class FigureSpread:
    """How far the runs of one figure differ."""

    figure: RepeatedFigure
    median: float
    """Of all samples, in seconds or bytes."""
    spread: float
    """The range of the runs' medians, relative to their median."""
    minimum_detectable: float
    """The smallest relative change that would be found in a history of such releases."""
    covered: int
    """Runs whose 99 % interval, as asv stores it, holds the median of all samples."""
    beside: float
    """The same spread where each median is divided by that of the bare start method in the same run: what is
    left of it if the machine itself was faster or slower. NaN for memory."""
    target: float | None
    """The largest spread that was aimed at; None where there was no aim."""


def target(metric: str, value: float) -> float | None:
    if metrics.get(metric).unit == "bytes":
        return 0.005 if value > 20 * MIB else 0.015
    return 0.04 if value > 0.020 else 0.06 if value > 0.001 else None


def spreads(record: SensitivityRecord) -> list[FigureSpread]:
    """The spread of every figure of a record."""
    minimums = {
        (minimum.key.metric, minimum.key.parameters): minimum.change
        for minimum in detect.change_points(as_series(record, seed=None)).minimum_detectable
    }
    rows = []
    for figure in record.figures:
        overall = median(value for run in figure.runs for value in run)
        medians = [median(run) for run in figure.runs]
        bare = record.controls[strategies.get(figure.strategy).start_method]
        intervals = [
            (stats["ci_99_a"], stats["ci_99_b"])
            for run in figure.runs
            for _, stats in [compute_stats(run, 1)]
        ]
        rows.append(
            FigureSpread(
                figure,
                overall,
                relative_range(medians),
                minimums.get((figure.metric, (figure.strategy, figure.dataframe)), nan),
                sum(low <= overall <= high for low, high in intervals),
                relative_range([value / median(run) for value, run in zip(medians, bare, strict=True)])
                if metrics.get(figure.metric).unit == "seconds"
                else nan,
                target(figure.metric, overall),
            )
        )
    return rows


def as_series(record: SensitivityRecord, seed: int | None) -> list[Series]:
    """The runs as series of releases: each run a release, or its two halves in a random order by `seed`."""

    def releases_of(figure: RepeatedFigure) -> Iterator[tuple[float, ...]]:
        for run in figure.runs:
            if seed is None:
                yield tuple(run)
            else:
                yield from (tuple(run[::2]), tuple(run[1::2]))

    all_series = []
    for figure in record.figures:
        releases = list(releases_of(figure))
        if seed is not None:
            # All figures in the same order: a run is a release.
            random.Random(seed).shuffle(releases)
        key = SeriesKey("", "", BENCHMARK.format(figure.metric), (figure.strategy, figure.dataframe))
        names = tuple(f"2.0.{number}" for number in range(len(releases)))
        all_series.append(Series(key, metrics.get(figure.metric).unit, names, tuple(releases)))
    return all_series


def false_alarms(record: SensitivityRecord) -> list[str]:
    """Every change point of every layout: all of them are wrong, since nothing changed."""
    return [
        f"layout {seed}: {step.key.metric} ({step.key.cell}) {step.ratio - 1:+.1%}"
        for seed in range(LAYOUTS)
        for step in detect.change_points(as_series(record, seed)).steps
    ]


def page(record: SensitivityRecord) -> str:
    """The page as Markdown."""
    rows = spreads(record)
    aimed = [row for row in rows if row.target]
    times = [row for row in aimed if metrics.get(row.figure.metric).unit == "seconds"]
    runs = len(record.figures[0].runs)
    alarms = false_alarms(record)
    measured = record.provenance
    meanwhile = (
        ", while another process kept a core busy for random tenths of the time" if record.loaded else ""
    )
    text = [
        "# How far the figures can be trusted\n",
        f"SQLAlchemy {measured.release} was measured {runs} times, as if it were {runs} releases (A/A)"
        f"{meanwhile}{measured.by}, {measured.date}, in {record.seconds / 60:.0f} minutes; "
        f"{measured.machine}; server {measured.server}, instrument {record.instrument}. Noisy blocks by run: "
        f"{', '.join(map(str, record.disturbed))}. [statistics.md](statistics.md) explains the columns.\n",
        f"- The spread of the {runs} medians, largest less smallest, is within its target for "
        f"{sum(row.spread <= (row.target or 0) for row in aimed)} of {len(aimed)} figures "
        "(4 % above 20 ms, 6 % above 1 ms; memory 0.5 % above 20 MiB, 1.5 % below).",
        f"- {machine_speed(record, times)}",
        f"- {sum(row.covered for row in rows)} of {runs * len(rows)} intervals that asv stores (99 %) "
        "hold the median of all runs.",
        f"- Laid out as {2 * runs} releases, half a run each, in {LAYOUTS} random orders: "
        f"{len(alarms) or 'no'} false alarms.\n",
        *(f"  - {alarm}" for alarm in alarms),
        markdown.table(HEADER, [cells(row, runs) for row in rows]),
    ]
    if record.repetitions:
        text += [
            "## Injected changes\n",
            "Each was put into a copy of the release and compared with it, as `poolstart compare` does, by "
            "as many pairs of parents as it takes until the interval of a time is half as wide, on either "
            f"side, as the change. Measured {record.injected.date}{record.injected.by}{meanwhile}.\n",
            injected_changes(record),
        ]
    return "\n".join(text)


def machine_speed(record: SensitivityRecord, times: Sequence[FigureSpread]) -> str:
    """Whether the runs differ because the machine was faster or slower in some of them."""
    beside, alone = median(row.beside for row in times), median(row.spread for row in times)
    part = 1 - beside / alone
    explains = (
        "explains most of it"
        if part > 0.5
        else "explains some of it"
        if part > 0.1
        else "does not explain it"
    )
    return (
        f"The bare start methods, which run no SQLAlchemy, spread by {bare_starts(record)}. Divided by them, "
        f"times have a median spread of {beside:.1%} instead of {alone:.1%}: the machine's speed {explains}."
    )


def bare_starts(record: SensitivityRecord) -> str:
    return ", ".join(
        f"{relative_range([median(run) for run in runs]):.1%} ({method})"
        for method, runs in record.controls.items()
    )


def cells(row: FigureSpread, runs: int) -> list[str]:
    figure = row.figure
    metric = metrics.get(figure.metric)
    missed = row.target is not None and row.spread > row.target
    return [
        figure.metric,
        f"`{figure.strategy}`",
        figure.dataframe,
        f"{row.median * metric.factor:.2f} {metric.display_unit}",
        f"**{row.spread:.1%}**" if missed else f"{row.spread:.1%}",
        "" if isnan(row.beside) else f"{row.beside:.1%}",
        f"{row.target:.1%}" if row.target else "none",
        f"{row.minimum_detectable:.1%}",
        f"{row.covered} of {runs}",
    ]


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
                f"{sum(not result.missed for result in results)} of {len(results)}",
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

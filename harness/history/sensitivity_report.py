"""docs/sensitivity.md: how far the instrument can be trusted, from what `poolstart noise` has recorded."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan, nan
from statistics import median

from asv_runner.statistics import compute_stats

from harness import strategies
from harness.console import markdown
from harness.history import detect
from harness.history.detect import Key, Series
from harness.history.sensitivity import SEEDS, Figure, Noise, Repetition
from harness.lifecycles import metrics
from harness.records import store
from harness.system.memory import MIB

RECORD, LOADED = store.path("sensitivity"), store.path("sensitivity_loaded")
"""The second was measured while something else kept a core busy."""

LAYOUTS = 20
"""Orders in which the runs are laid out as releases, each time anew."""

BENCHMARK = "runs.track_{}"

HEADER = (
    "figure", "strategy", "dataframe", "median", "spread", "beside a bare start", "target", "would be found",
    "covered",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What the runs say of one figure."""

    figure: Figure
    median: float
    spread: float
    """Largest less smallest median of a run, as a part of their median."""
    floor: float
    """The smallest change that would be found in a history of such releases."""
    covered: int
    """Runs whose 99 % interval, as asv stores it, holds the median of all."""
    beside: float
    """The same spread where each median is taken relative to that of the bare start method in the same run:
    what is left of it when the machine itself was faster or slower; NaN for memory."""
    target: float | None
    """What the spread was to be at most; None where nothing was asked for."""


def target(metric: str, value: float) -> float | None:
    if metrics.get(metric).unit == "bytes":
        return 0.005 if value > 20 * MIB else 0.015
    return 0.04 if value > 0.020 else 0.06 if value > 0.001 else None


def lines(noise: Noise) -> list[Line]:
    floors = {
        (floor.key.metric, floor.key.parameters): floor.change
        for floor in detect.verdicts(series(noise, seed=None)).floors
    }
    found = []
    for figure in noise.figures:
        whole = median(value for run in figure.runs for value in run)
        medians = [median(run) for run in figure.runs]
        bare = noise.controls[strategies.get(figure.strategy).start_method]
        intervals = [
            (stats["ci_99_a"], stats["ci_99_b"])
            for run in figure.runs
            for _, stats in [compute_stats(run, 1)]
        ]
        found.append(
            Line(
                figure,
                whole,
                spread(medians),
                floors.get((figure.metric, (figure.strategy, figure.dataframe)), float("nan")),
                sum(low <= whole <= high for low, high in intervals),
                spread([one / median(run) for one, run in zip(medians, bare, strict=True)])
                if metrics.get(figure.metric).unit == "seconds"
                else nan,
                target(figure.metric, whole),
            )
        )
    return found


def spread(medians: Sequence[float]) -> float:
    """Largest less smallest, as a part of the middle."""
    return (max(medians) - min(medians)) / median(medians)


def series(noise: Noise, seed: int | None) -> list[Series]:
    """The runs as if they were releases: each a release, or the two halves of each in an order by `seed`."""

    def laid(figure: Figure) -> Iterator[tuple[float, ...]]:
        for run in figure.runs:
            if seed is None:
                yield tuple(run)
            else:
                yield from (tuple(run[::2]), tuple(run[1::2]))

    made = []
    for figure in noise.figures:
        releases = list(laid(figure))
        if seed is not None:
            # All figures in the same order: a run is a release.
            random.Random(seed).shuffle(releases)
        key = Key("", "", BENCHMARK.format(figure.metric), (figure.strategy, figure.dataframe))
        names = tuple(f"2.0.{number}" for number in range(len(releases)))
        made.append(Series(key, metrics.get(figure.metric).unit, names, tuple(releases)))
    return made


def false_alarms(noise: Noise) -> list[str]:
    """What was called a step in any layout: there is nothing to be found."""
    return [
        f"layout {seed}: {step.key.metric} ({step.key.cell}) {step.ratio - 1:+.1%}"
        for seed in range(LAYOUTS)
        for step in detect.verdicts(series(noise, seed)).steps
    ]


def page(noise: Noise) -> str:
    found = lines(noise)
    wanted = [line for line in found if line.target]
    times = [line for line in wanted if metrics.get(line.figure.metric).unit == "seconds"]
    runs = len(noise.figures[0].runs)
    alarms = false_alarms(noise)
    meanwhile = (
        ", while something else kept a core busy for random tenths of the time" if noise.loaded else ""
    )
    text = [
        "# How far the figures can be trusted\n",
        f"SQLAlchemy {noise.release} measured {runs} times as if it were {runs} releases{meanwhile}, by "
        f"`{noise.command}`, {noise.date}, in {noise.seconds / 60:.0f} minutes; {noise.machine}; server "
        f"{noise.server}, instrument {noise.instrument}. Disturbed blocks by run: "
        f"{', '.join(map(str, noise.disturbed))}.\n",
        f"- The spread of the {runs} medians is within its target for "
        f"{sum(line.spread <= (line.target or 0) for line in wanted)} of {len(wanted)} figures "
        "(4 % above 20 ms, 6 % above 1 ms; memory 0.5 % above 20 MiB, 1.5 % below).",
        f"- {paced(noise, times)}",
        f"- {sum(line.covered for line in found)} of {runs * len(found)} intervals that asv stores (99 %) "
        "hold the median of all runs.",
        f"- Laid out as {2 * runs} releases, half a run each, in {LAYOUTS} orders: "
        f"{len(alarms) or 'no'} false alarms.\n",
        *(f"  - {alarm}" for alarm in alarms),
        markdown.table(HEADER, [row(line, runs) for line in found]),
    ]
    if noise.repetitions:
        text += [
            "## Known differences\n",
            "Put into the release, and looked for as `poolstart compare` does: with as many pairs of parents "
            "as it takes until the interval of a time is half as wide, either way, as the difference. By "
            f"{noise.seeded}{meanwhile}.\n",
            seeded(noise),
        ]
    return "\n".join(text)


def paced(noise: Noise, times: Sequence[Line]) -> str:
    """Whether the runs differ because the machine was faster or slower in some of them."""
    left, all_of_it = median(one.beside for one in times), median(one.spread for one in times)
    part = 1 - left / all_of_it
    explains = (
        "explains most of it" if part > 0.5 else "explains some of it" if part > 0.1 else "is no explanation"
    )
    return (
        f"A bare start without any engine spread by {bare(noise)}. Relative to it the spread of a time is"
        f" {left:.1%} in the middle instead of {all_of_it:.1%}: the machine's pace {explains}."
    )


def bare(noise: Noise) -> str:
    return ", ".join(
        f"{spread([median(run) for run in some]):.1%} ({method})" for method, some in noise.controls.items()
    )


def row(line: Line, runs: int) -> list[str]:
    figure = line.figure
    metric = metrics.get(figure.metric)
    missed = line.target is not None and line.spread > line.target
    return [
        figure.metric,
        f"`{figure.strategy}`",
        figure.dataframe,
        f"{line.median * metric.factor:.2f} {metric.display_unit}",
        f"**{line.spread:.1%}**" if missed else f"{line.spread:.1%}",
        "" if isnan(line.beside) else f"{line.beside:.1%}",
        f"{line.target:.1%}" if line.target else "none",
        f"{line.floor:.1%}",
        f"{line.covered} of {runs}",
    ]


def seeded(noise: Noise) -> str:
    names = list(dict.fromkeys(one.seed for one in noise.repetitions))
    titles = {seed.id: seed.title for seed in SEEDS}
    rows = []
    for name in names:
        some = [one for one in noise.repetitions if one.seed == name]
        expected = sorted({what for one in some for what in (*one.found, *one.missed)})
        besides = sorted({what for one in some for what in one.unexpected})
        rows.append(
            [
                titles.get(name, name),
                f"{sum(not one.missed for one in some)} of {len(some)}",
                ", ".join(sized(what, some) for what in expected),
                pairs(some),
                ", ".join(
                    f"{sized(what, some)}, {sum(what in one.unexpected for one in some)} of {len(some)}"
                    for what in besides
                )
                or "nothing",
            ]
        )
    return markdown.table(
        ["difference", "found", "size that was seen", "pairs of parents", "what else was reported"], rows
    )


def pairs(some: Sequence[Repetition]) -> str:
    numbers = {one.pairs for one in some if one.pairs}
    return " to ".join(map(str, sorted({min(numbers), max(numbers)}))) if numbers else ""


def sized(what: str, some: Sequence[Repetition]) -> str:
    """A figure with the size of its change: in the middle, and from least to most; a guard has none."""
    seen = [f"{size - 1:+.1%}" for size in sorted(one.sizes[what] for one in some if what in one.sizes)]
    if not seen:
        return what
    middle = f"{median(one.sizes[what] for one in some if what in one.sizes) - 1:+.1%}"
    return f"{what} {middle}" + (f" ({seen[0]} to {seen[-1]})" if seen[0] != seen[-1] else "")

"""Changes in the terminal, a line a release."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict
from math import sqrt
from typing import Any, TypeVar

from packaging.version import Version
from scipy.stats import t as student

from harness.comparisons.judge import POWER
from harness.console import markdown, output, terminal
from harness.counts import registry
from harness.history.changes import Changes, CountChange
from harness.history.paired import MAX_P, RELEASE_P, PairedChange
from harness.history.reference import DECIDING, REFERENCE, SAME_CODE, STRATEGIES
from harness.instructions import report as instructions
from harness.instructions.report import ExplainedChange
from harness.instructions.table import TOTAL, InstructionsTable
from harness.lifecycles import metrics

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

COLUMNS = (
    "release", "previous", "figure", "strategy", "dataframe", "unit", "ratio", "low", "high", "pairs",
    "machine",
)  # fmt: skip
"""Of `poolstart changes --csv`, a row a change: its ratio and 99 % interval; counts are exact, without
pairs."""

MINOR = "Only counts, or the instructions of one phase, changed in"
"""What introduces the releases that users hardly notice."""

KINDS = {"seconds": "times", "bytes": "memory"}
"""What figures are of, by unit; the rest are counts."""


def write(changes: Changes, form: str, counted: InstructionsTable | None = None) -> None:
    """Print changes, and those of instructions on record, as `table`, `json`, `csv` or `markdown`."""
    records = [*map(record, changes.paired), *map(record, changes.counts)]
    content = {**as_json(changes), "instructions": instructions.as_json(counted) if counted else None}
    output.write(form, records, lambda: show(changes, counted), content, COLUMNS)


def record(change: PairedChange | CountChange) -> dict[str, Any]:
    """A change with the keys of `COLUMNS`."""
    interval: tuple[object, ...] = change.ratio, change.ratio, "", ""
    if isinstance(change, PairedChange):
        interval = change.low, change.high, change.pairs, change.machine
    known = change.release, change.before, change.metric, change.strategy, "none", unit_of(change)
    return dict(zip(COLUMNS, (*known, change.ratio, *interval), strict=True))


def as_json(changes: Changes) -> dict[str, Any]:
    """The changes for `json.dumps`."""
    return {
        "changes": [asdict(change) for change in changes.paired],
        "counts": [{**asdict(change), "ratio": change.ratio} for change in changes.counts],
        "open": [list(pair) for pair in changes.open],
        "detectable": {metric: list(sizes) for metric, sizes in detectable(changes.decided).items()},
    }


def show(changes: Changes, counted: InstructionsTable | None) -> None:
    """Print a line for each release that users notice, and why its instructions changed."""
    console = terminal.output()
    explained = {each.release: each for each in (instructions.explained(counted) if counted else [])}
    every: list[PairedChange | CountChange] = [*changes.paired, *changes.counts]
    by_release = grouped(every, lambda change: change.release)
    whole = {release for release, each in explained.items() if each.change.whole}
    noticed = in_order({change.release for change in changes.paired} | whole)
    if noticed:
        terminal.print_table(
            console,
            ["release", "instructions", *KINDS.values(), "counts"],
            [
                summary_row(release, explained.get(release), by_release.get(release, []))
                for release in noticed
            ],
            title="Releases that changed something",
        )
    for release in noticed:
        causes = explained[release].causes if release in explained else ()
        terminal.print_pairs(console, [(release, cause) for cause in causes])
    if minor := in_order({*by_release, *explained} - set(noticed)):
        terminal.print_text(console, f"{MINOR} {', '.join(minor)}.")
    if not noticed and not minor:
        terminal.print_text(console, "No release on record changed anything.")
    for before, release in changes.open:
        terminal.print_text(
            console,
            f"{before} and {release} differ; `poolstart record changes` finds the release in between.",
        )
    if changes.minor:
        terminal.print_text(console, f"{changes.minor} changes of counts by less than 1 % are left out.")
    terminal.print_text(console, method(changes))
    if counted:
        terminal.print_text(console, instructions.BLIND)


def method(changes: Changes) -> str:
    """How the sizes were measured, and how small a change would be found."""
    sizes = detectable(changes.decided)
    found = ", ".join(
        f"{metrics.get(metric).short} {percent(sizes[metric][0])} to {percent(sizes[metric][1])}"
        for metric in metrics.METRICS
        if metric in sizes and metric in SHOWN
    )
    smallest = (
        f" {DECIDING} pairs find these changes with a probability of {POWER:.0%}, by strategy: {found}."
        if found
        else ""
    )
    return (
        "Sizes are ratios of interleaved pairs of parents, of two neighbouring releases or of both to"
        f" {REFERENCE}; p < {MAX_P:g}, and of each release all figures together p < {RELEASE_P:g}.{smallest}"
        f" {markdown.plain(coverage())}"
    )


def coverage() -> str:
    """Of which strategies pairs are measured, and what holds for others, in two sentences of Markdown."""
    *most, last = (f"`{name}`" for name in STRATEGIES)
    others = ", ".join(f"`{name}` runs the code of `{code}`" for name, code in SAME_CODE.items())
    return f"Pairs are measured of {', '.join(most)} and {last}, without a DataFrame. {others}."


SHOWN = ("time_to_first_row", "cpu_first_row", "uss")
"""The metrics whose smallest changes are named."""


def detectable(decided: Iterable[PairedChange]) -> dict[str, tuple[float, float]]:
    """By metric: the smallest relative change that pairs find with the probability `POWER`, for the steadiest
    and for the noisiest strategy, if nothing else changes.

    The scatter of a strategy is that of its median comparison.
    """
    cells = grouped(decided, lambda change: change.cell)
    degrees = DECIDING - 1
    factor = student.isf(RELEASE_P / max(1, len(cells)) / 2, degrees) + student.ppf(POWER, degrees)
    by_metric: dict[str, list[float]] = {}
    for (metric, *_), changes in cells.items():
        known = sorted(scatter(change) for change in changes if change.low)
        if known:
            least = max(change.smallest for change in changes)
            size = float(factor) * known[len(known) // 2] / sqrt(DECIDING)
            by_metric.setdefault(metric, []).append(max(size, least))
    return {metric: (min(sizes), max(sizes)) for metric, sizes in by_metric.items()}


def scatter(change: PairedChange) -> float:
    """One standard deviation of a pair, relative, from the width of the interval."""
    quantile = float(student.isf(0.005, max(1, change.pairs - 1)))
    return (change.high / change.low - 1) / 2 / quantile * sqrt(change.pairs)


def percent(size: float) -> str:
    return f"{size * 100:.1f} %"


def summary_row(
    release: str, explained: ExplainedChange | None, changes: Sequence[PairedChange | CountChange]
) -> list[terminal.Cell]:
    """One release: how far instructions, times, memory and counts changed."""
    ratios: dict[str, list[float]] = {}
    for change in changes:
        ratios.setdefault(KINDS.get(unit_of(change), "counts"), []).append(change.ratio)
    kinds = (*KINDS.values(), "counts")
    instructed = explained.percent(TOTAL) if explained else ""
    return [release, instructed, *(ratio_range(ratios.get(kind, [])) for kind in kinds)]


def unit_of(change: PairedChange | CountChange) -> str:
    return metrics.get(change.metric).unit if isinstance(change, PairedChange) else change.unit


def title_of(name: str) -> str:
    """The title of a metric or count for the middle of a sentence."""
    known = metrics.METRICS.get(name) or registry.COUNTS.get(name)
    return known.title if known else name


def ratio_range(ratios: Sequence[float]) -> str:
    """`+1.5 % to +3.0 %`: the smallest and the largest change; empty without any."""
    ends = (min(ratios), max(ratios)) if ratios else ()
    return " to ".join(dict.fromkeys(map(instructions.relative, ends)))


def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def in_order(releases: Iterable[str]) -> list[str]:
    return sorted(releases, key=Version)

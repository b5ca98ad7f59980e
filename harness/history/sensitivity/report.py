"""The sensitivity page: how far the figures can be trusted, from the record of sensitivity."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from harness.console import markdown
from harness.history.sensitivity import simulated
from harness.history.sensitivity.injected import INJECTED_CHANGES
from harness.history.sensitivity.record import InjectionResult, SensitivityRecord
from harness.lifecycles import intervals, metrics
from harness.lifecycles.metrics import Table


def load(path: Path) -> str:
    """The page of a record. Raises `PoolstartError` if it is damaged."""
    return page(SensitivityRecord.load(path), simulated.section())


def page(record: SensitivityRecord, resampled: str = "") -> str:
    """The page as Markdown; `resampled` has its sections about comparisons drawn from pairs on record."""
    measured, injected = record.provenance, record.injected
    text = ["# How far the figures can be trusted\n"]
    if not record.loaded:
        text.append(
            f"SQLAlchemy {measured.release} was measured {len(record.figures[0].runs)} times in a row (A/A)"
            f"{measured.by}, {measured.date}; {measured.machine}; server {measured.server}."
            f" {intervals.another_run(metrics.shown_in(Table.SENSITIVITY))} So compare a figure only with"
            " others of the same run. Changes between releases are measured in pairs, which this does not"
            " affect ([statistics.md](statistics.md)).\n"
        )
    if record.repetitions:
        meanwhile = (
            ", while another process kept a core busy for random tenths of the time" if record.loaded else ""
        )
        text += [
            "## Injected changes\n",
            "Each was put into a copy of the release and compared with the release, as `poolstart compare`"
            " does. For times, pairs of parents are added until the interval is no wider than half of the"
            " change on either side; counts and instructions take one worker of each side. Last measured"
            f" {injected.date}{injected.by}; {injected.machine or measured.machine}{meanwhile}.\n",
            injected_changes(record),
        ]
    if resampled and not record.loaded:
        text.append(resampled)
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

"""A comparison of two sides, in every form."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from math import inf, isfinite
from typing import Any

from rich.text import Text

from harness import strategies
from harness.comparisons.exact import INSTRUCTIONS, ExactRow
from harness.comparisons.judge import MIN_PAIRS, POWER, ComparisonRow
from harness.comparisons.result import Comparison
from harness.console import output, terminal
from harness.drivers import MEASURED, upgrade_note
from harness.instructions.report import BLIND
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table
from harness.processes.errors import print_reasons
from harness.system import busy

HEADER = ["", "before", "after", "ratio", "99 % interval", "verdict", "detectable"]

COLUMNS = (
    "first", "second", "metric", "unit", "strategy", "dataframe", "pairs", "before", "after", "ratio", "low",
    "high", "p", "verdict", "limit", "detectable", "outcome",
)  # fmt: skip
"""Of `--csv`, a row a figure: medians before and after, and the 99 % interval of the ratio."""


def write(comparison: Comparison, settings: Sequence[str], form: str, server: str) -> None:
    """Print a comparison as `table`, `json`, `csv` or `markdown`; `server` is the server's title."""
    exact = list(exact_records(comparison))
    content = {
        "busy": comparison.busy,
        **asdict(comparison),
        "server": server,
        "status": comparison.status,
        "rows": list(records(comparison)),
        "exact": exact,
        "upgrade": upgrade(comparison),
    }
    rows = chain(records(comparison), exact)
    output.write(form, rows, lambda: show(comparison, settings, server), content, COLUMNS)
    if form != "json":
        not_applicable = comparison.not_applicable if form == "csv" else ()
        print_reasons(comparison.rejected, not_applicable, busy=comparison.busy if form == "csv" else "")


def exact_records(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """What was counted of both sides, a row a phase or count, with the keys of `COLUMNS`."""
    names = {"first": comparison.first.name, "second": comparison.second.name}
    for row in comparison.exact:
        yield {**dict.fromkeys(COLUMNS), **names, **row.record(comparison.tolerate)}


def records(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """One row per figure, with the keys of `COLUMNS`."""
    for row in comparison.rows:
        yield {
            "first": comparison.first.name,
            "second": comparison.second.name,
            "metric": row.metric,
            "unit": metrics.get(row.metric).unit,
            "strategy": row.strategy,
            "dataframe": row.dataframe,
            "pairs": row.pairs,
            "before": row.first,
            "after": row.second,
            **{
                name: value if not isinstance(value, float) or isfinite(value) else None
                for name in ("ratio", "low", "high", "p", "verdict", "limit", "detectable")
                for value in [getattr(row, name)]
            },
            "outcome": "undecided" if comparison.busy else row.outcome,
        }


def show(comparison: Comparison, settings: Sequence[str], server: str) -> None:
    """Print a table for each DataFrame setting, and below them what follows from it."""
    console = terminal.output()
    if comparison.busy:
        terminal.print_text(console, busy.sentence(comparison.busy))
    if note := upgrade(comparison):
        terminal.print_text(console, f"note: {note}")
    first, second = (
        strategies.label(side.name) if side.name in side.strategies else side.name
        for side in (comparison.first, comparison.second)
    )
    driver = comparison.first.driver
    with_driver = f", {driver}" if driver == comparison.second.driver != MEASURED.name else ""
    terminal.print_heading(console, f"{second} against {first}{with_driver}, PostgreSQL {server}")
    for setting in settings:
        rows: list[list[terminal.Cell]] = []
        for metric in metrics.shown_in(Table.COMPARISON):
            figures = [row for row in comparison.rows if (row.metric, row.dataframe) == (metric.id, setting)]
            if figures:
                rows += [[Text(metric.column, "bold"), *[""] * (len(HEADER) - 1)], *map(cells, figures)]
        terminal.print_table(console, HEADER, rows, title=f"dataframe {setting}")
    pairs = max((row.pairs for row in comparison.rows), default=0)
    terminal.print_text(
        console,
        f"Medians; ratios of interleaved pairs, at most {pairs} of a figure, in {comparison.seconds:.0f} s. "
        "More memory is slower too; same: the interval is within what is tolerated. Detectable: the smallest "
        f"change for the worse that fails such a comparison in {POWER:.0%} of cases.",
    )
    if rows := list(exact_rows(comparison)):
        title = "What repeats exactly: instructions by phase, and counts that changed"
        terminal.print_table(console, HEADER[:-1], rows, title=title)
    if any(row.unit != INSTRUCTIONS for row in comparison.exact):
        terminal.print_text(console, "Modules, statements and round trips that are not listed are the same.")
    if any(row.unit == INSTRUCTIONS for row in comparison.exact):
        terminal.print_text(console, BLIND)
    for sentence in () if comparison.busy else conclusion(comparison):
        terminal.print_text(console, sentence)
    if comparison.noisy:
        terminal.print_text(
            console, f"{comparison.noisy} more pairs were left out: something else used the processors"
        )
    for kind, lines in (
        ("note", comparison.notes),
        ("n/a", comparison.not_applicable),
    ):
        for line in lines:
            terminal.print_text(console, f"{kind}: {line}")


def conclusion(comparison: Comparison) -> Iterator[str]:
    """What is worse and what is undecided, and which size of change could have been found."""
    rows = comparison.rows
    known = [row for row in rows if row.pairs >= MIN_PAIRS]
    worse = [figure(row, row.ratio - 1) for row in known if row.outcome == "worse"]
    worse += [
        f"{row.metric.replace('_', ' ')} of {label(row)} from {row.before} to {row.after}"
        for row in comparison.exact
        if row.worse(comparison.tolerate)
    ]
    if worse:
        yield f"Worse by more than is tolerated: {', '.join(worse)}."
    if undecided := [figure(row, row.ratio - 1) for row in known if row.outcome == "undecided"]:
        yield f"Undecided: {', '.join(undecided)}; more --minutes may decide it."
    if few := len(rows) - len(known):
        yield (
            f"{few} of {len(rows)} figures have fewer than the {MIN_PAIRS} pairs that a verdict needs: allow"
            " more --minutes, or name fewer strategies by --strategy."
        )
    if not worse:
        yield "No figure is certainly worse by more than is tolerated."
    if known:
        least, most = (choose(known, key=lambda row: row.detectable) for choose in (min, max))
        sizes = dict.fromkeys(figure(row, row.detectable) for row in (least, most))
        yield f"Detectable: from {' to '.join(sizes)}."


def figure(row: ComparisonRow, change: float) -> str:
    """A figure and its relative change: `startup of spawn +5.2 %`."""
    frame = "" if row.dataframe == "none" else f" (dataframe {row.dataframe})"
    return f"{metrics.get(row.metric).column.partition(',')[0]} of {label(row)}{frame} {change * 100:+.1f} %"


def upgrade(comparison: Comparison) -> str:
    """What to know first about the releases of both sides; empty if there is nothing."""
    return upgrade_note(comparison.first.release, comparison.second.release)


def exact_rows(comparison: Comparison) -> Iterator[list[terminal.Cell]]:
    """Below each name a row a strategy: all instructions, and the counts that changed."""
    by_metric: dict[str, list[list[terminal.Cell]]] = {}
    for row in comparison.exact:
        name, numbers = row.metric.replace("_", " "), [str(row.before), str(row.after)]
        if row.unit == INSTRUCTIONS:
            name, numbers = (
                f"{name.partition(' ')[2]}, million",
                [f"{row.before / 1e6:.2f}", f"{row.after / 1e6:.2f}"],
            )
        elif row.verdict == "same":
            continue
        by_metric.setdefault(name, []).append(
            [label(row), *numbers, f"{row.ratio or inf:.4f}", "exact", row.verdict]
        )
    for name, rows in by_metric.items():
        yield [Text(name, "bold"), *[""] * (len(HEADER) - 2)]
        yield from rows


def label(row: ComparisonRow | ExactRow) -> str:
    """The strategy of a row, or those of both sides, as tables call them."""
    return " -> ".join(map(strategies.label, row.strategy.split(" -> ")))


def cells(row: ComparisonRow) -> list[terminal.Cell]:
    factor = metrics.get(row.metric).factor
    return [
        label(row),
        f"{row.first * factor:.3g}",
        f"{row.second * factor:.3g}",
        f"{row.ratio:.3f}",
        f"{row.low:.3f} {row.high:.3f}" if row.high < 100 else "unknown",
        row.verdict,
        f"+{row.detectable * 100:.1f} %" if row.detectable < 10 else "unknown",
    ]

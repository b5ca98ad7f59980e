"""A comparison of two sides, in the terminal and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.text import Text

from harness.comparisons.compare import Comparison
from harness.comparisons.instructions import InstructionsComparison
from harness.comparisons.judge import ComparisonRow
from harness.console import terminal
from harness.drivers import upgrade_note
from harness.instructions.report import BLIND, TITLES
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table
from harness.system import busy

HEADER = ["", "before", "after", "ratio", "99 % interval", "verdict"]


def write(comparison: Comparison, settings: Sequence[str], form: str) -> None:
    if form == "json":
        fields = {"busy": comparison.busy, **asdict(comparison)}
        counted = [each.as_json() for each in comparison.instructions]
        terminal.print_json({**fields, "instructions": counted, "upgrade": upgrade(comparison)})
    else:
        show(comparison, settings)


def show(comparison: Comparison, settings: Sequence[str]) -> None:
    console = terminal.output()
    if comparison.busy:
        terminal.print_text(console, busy.sentence(comparison.busy))
    if note := upgrade(comparison):
        terminal.print_text(console, f"note: {note}")
    for setting in settings:
        rows: list[list[terminal.Cell]] = []
        for metric in metrics.shown_in(Table.COMPARISON):
            figures = [row for row in comparison.rows if (row.metric, row.dataframe) == (metric.id, setting)]
            if figures:
                rows += [[Text(metric.column, "bold"), *[""] * (len(HEADER) - 1)], *map(cells, figures)]
        title = f"{comparison.second.name} against {comparison.first.name}, dataframe {setting}"
        terminal.print_table(console, HEADER, rows, title=title)
    pairs = max((row.pairs for row in comparison.rows), default=0)
    terminal.print_text(
        console,
        f"Medians; ratios of {pairs} interleaved pairs, in {comparison.seconds:.0f} s. More memory is slower "
        "too; same: the interval is within what is tolerated.",
    )
    for counted in comparison.instructions:
        terminal.print_table(
            console, HEADER, instruction_rows(counted), title=f"Instructions of {counted.strategy}, million"
        )
    if comparison.instructions:
        terminal.print_text(console, f"Instructions repeat exactly, on a busy machine too. {BLIND}")
    if comparison.noisy:
        terminal.print_text(
            console, f"{comparison.noisy} more pairs were left out: something else used the processors"
        )
    for kind, lines in (
        ("note", comparison.notes),
        ("n/a", comparison.not_applicable),
        ("poolstart", comparison.rejected),
    ):
        for line in lines:
            terminal.print_text(console, f"{kind}: {line}")


def upgrade(comparison: Comparison) -> str:
    """What to know first about the releases of both sides; empty if there is nothing."""
    return upgrade_note(comparison.first.release, comparison.second.release)


def instruction_rows(counted: InstructionsComparison) -> list[list[terminal.Cell]]:
    """A row for each phase, and one for all."""
    return [
        [
            title,
            f"{counted.first.instructions(phase) / 1e6:.2f}",
            f"{counted.second.instructions(phase) / 1e6:.2f}",
            f"{counted.ratio(phase):.4f}",
            "exact",
            counted.verdict(phase),
        ]
        for phase, title in TITLES.items()
    ]


def cells(row: ComparisonRow) -> list[terminal.Cell]:
    factor = metrics.get(row.metric).factor
    return [
        row.strategy,
        f"{row.first * factor:.3g}",
        f"{row.second * factor:.3g}",
        f"{row.ratio:.3f}",
        f"{row.low:.3f} {row.high:.3f}" if row.high < 100 else "unknown",
        row.verdict,
    ]

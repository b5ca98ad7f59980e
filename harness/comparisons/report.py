"""A comparison of two things, in the terminal and for programs."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.text import Text

from harness.comparisons.compare import Comparison, Row
from harness.console import terminal
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table

HEADER = ["", "before", "after", "ratio", "99 % interval", "verdict"]


def tell(found: Comparison, settings: Sequence[str], form: str) -> None:
    if form == "json":
        terminal.print_json(asdict(found))
    else:
        show(found, settings)


def show(found: Comparison, settings: Sequence[str]) -> None:
    console = terminal.output()
    for setting in settings:
        rows: list[list[terminal.Cell]] = []
        for metric in metrics.shown_in(Table.COMPARISON):
            some = [row for row in found.rows if (row.metric, row.dataframe) == (metric.id, setting)]
            if some:
                rows += [[Text(metric.column, "bold"), *[""] * (len(HEADER) - 1)], *map(cells, some)]
        title = f"{found.second.name} against {found.first.name}, dataframe {setting}"
        terminal.show(console, HEADER, rows, title=title)
    pairs = max((row.pairs for row in found.rows), default=0)
    terminal.say(
        console,
        f"Medians; ratios by {pairs} pairs, their workers in turns, in {found.seconds:.0f} s. "
        "slower is more memory too; same: the interval lies within what is tolerated.",
    )
    if found.disturbed:
        terminal.say(
            console, f"{found.disturbed} more pairs were left out: something else wanted the machine"
        )
    for kind, lines in (("note", found.notes), ("n/a", found.not_applicable), ("poolstart", found.rejected)):
        for line in lines:
            terminal.say(console, f"{kind}: {line}")


def cells(row: Row) -> list[terminal.Cell]:
    factor = metrics.get(row.metric).factor
    return [
        row.strategy,
        f"{row.first * factor:.3g}",
        f"{row.second * factor:.3g}",
        f"{row.ratio:.3f}",
        f"{row.low:.3f} {row.high:.3f}" if row.high < 100 else "unknown",
        row.verdict,
    ]

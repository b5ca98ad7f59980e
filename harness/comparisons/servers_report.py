"""A comparison of servers as a table, in the terminal and in Markdown."""

from harness.comparisons.servers import METRICS, ServerComparison, ServerSamples
from harness.console import markdown, terminal
from harness.records.provenance import UNKNOWN

HEADER = ["server", "adds", *(metric.replace("_", " ") for metric in METRICS)]


def rows(comparison: ServerComparison, between: str) -> list[list[str]]:
    """One row a server; `between` separates a figure from what the server adds to it."""
    before: ServerSamples | None = None
    table = []
    for server in comparison.servers:
        figures = [between.join(figure(server, before, metric)) for metric in METRICS]
        table.append([server.server, server.adds, *figures])
        before = server
    return table


def figure(server: ServerSamples, before: ServerSamples | None, metric: str) -> list[str]:
    """Milliseconds: median and quartiles, and the difference of medians to the server before."""
    median, (lower, upper) = server.median(metric), server.quartiles(metric)
    parts = [f"{median * 1e3:.2f} ({lower * 1e3:.2f}-{upper * 1e3:.2f})"]
    if before is not None:
        parts.append(f"{(median - before.median(metric)) * 1e3:+.2f}")
    return parts


def caption(comparison: ServerComparison) -> str:
    count = len(comparison.servers[0].samples[METRICS[0]])
    provenance = comparison.provenance
    return (
        f"Milliseconds: median (quartiles) of {count} samples, and what it adds to the row above. "
        f"Profile {comparison.profile}, {provenance.day}, {provenance.machine or UNKNOWN}."
    )


def show(comparison: ServerComparison) -> None:
    """Print the table: below each figure is what the server adds to it."""
    console = terminal.output()
    cells: list[list[terminal.Cell]] = [
        [f"{server}\n+ {adds}" if adds else server, *figures]
        for server, adds, *figures in rows(comparison, between="\n")
    ]
    terminal.print_table(console, [HEADER[0], *HEADER[2:]], cells)
    terminal.print_text(console, caption(comparison))


def text(comparison: ServerComparison) -> str:
    """The table as Markdown."""
    table = markdown.table(HEADER, rows(comparison, between=", "), figures=2)
    return f"{table}\n{caption(comparison)}"

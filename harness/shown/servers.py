"""A comparison of servers as a table: in the terminal, and in a page that is never edited by hand."""

from pathlib import Path

from rich.table import Table

from harness.outside.comparison import METRICS, Comparison, Measured
from harness.shown.region import Region

REGION = Region("<!-- begin: poolstart postgres report -->")
"""Where a page holds the table."""

HEADER = ["server", "adds", *(metric.replace("_", " ") for metric in METRICS)]


def rows(comparison: Comparison, between: str) -> list[list[str]]:
    """One row a server; `between` stands between a figure and what the server added to it."""
    before: Measured | None = None
    made = []
    for server in comparison.servers:
        figures = [between.join(figure(server, before, metric)) for metric in METRICS]
        made.append([server.server, server.adds, *figures])
        before = server
    return made


def figure(server: Measured, before: Measured | None, metric: str) -> list[str]:
    """Milliseconds: median and quartiles, and the difference of medians to the server before."""
    median, (lower, upper) = server.median(metric), server.quartiles(metric)
    parts = [f"{median * 1e3:.2f} ({lower * 1e3:.2f}-{upper * 1e3:.2f})"]
    if before is not None:
        parts.append(f"{(median - before.median(metric)) * 1e3:+.2f}")
    return parts


def caption(comparison: Comparison) -> str:
    count = len(comparison.servers[0].samples[METRICS[0]])
    machine = comparison.machine
    return (
        f"Milliseconds: median (quartiles) of {count} samples, and what it adds to the row above. "
        f"Profile {comparison.profile}, {comparison.date[:10]}, {machine['os']}, {machine['num_cpu']} x "
        f"{machine['cpu']}."
    )


def terminal(comparison: Comparison) -> Table:
    table = Table(caption=caption(comparison), caption_justify="left", show_lines=True)
    table.add_column(HEADER[0], overflow="fold")
    for name in HEADER[2:]:
        table.add_column(name, justify="right", no_wrap=True)
    for server, adds, *figures in rows(comparison, between="\n"):
        table.add_row(f"+ {adds}\n{server}" if adds else server, *figures)
    return table


def markdown(comparison: Comparison) -> str:
    rule = ["---", "---", *("---:" for _ in METRICS)]
    lines = [HEADER, rule, *rows(comparison, between=", ")]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{caption(comparison)}"


def update(page: Path, comparison: Comparison) -> None:
    """Put the table between the marks of `page`."""
    REGION.replace(page, markdown(comparison))

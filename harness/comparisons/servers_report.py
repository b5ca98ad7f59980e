"""A comparison of servers as a table: in the terminal, and in a page that is never edited by hand."""

from harness.comparisons.servers import METRICS, Comparison, Measured
from harness.console import markdown, terminal

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


def show(comparison: Comparison) -> None:
    """The table in the terminal: below each figure what the server added to it."""
    console = terminal.output()
    told: list[list[terminal.Cell]] = [
        [f"{server}\n+ {adds}" if adds else server, *figures]
        for server, adds, *figures in rows(comparison, between="\n")
    ]
    terminal.show(console, [HEADER[0], *HEADER[2:]], told)
    terminal.say(console, caption(comparison))


def text(comparison: Comparison) -> str:
    """The table as Markdown."""
    table = markdown.table(HEADER, rows(comparison, between=", "), figures=2)
    return f"{table}\n{caption(comparison)}"

"""A comparison of servers as a table in Markdown."""

from harness.comparisons.servers import METRICS, ServerComparison, ServerSamples
from harness.console import markdown
from harness.records.provenance import UNKNOWN

HEADER = ["server", "adds", *(metric.replace("_", " ") for metric in METRICS)]


def rows(comparison: ServerComparison) -> list[list[str]]:
    """One row a server."""
    servers = comparison.servers
    return [
        [server.server, server.adds, *(figure(server, before, metric) for metric in METRICS)]
        for before, server in zip([None, *servers], servers, strict=False)
    ]


def figure(server: ServerSamples, before: ServerSamples | None, metric: str) -> str:
    """Milliseconds: median and quartiles, and the difference of medians to the server before."""
    median, (lower, upper) = server.median(metric), server.quartiles(metric)
    text = f"{median * 1e3:.2f} ({lower * 1e3:.2f}-{upper * 1e3:.2f})"
    return text if before is None else f"{text}, {(median - before.median(metric)) * 1e3:+.2f}"


def text(comparison: ServerComparison) -> str:
    """The table, and its caption."""
    count, provenance = len(comparison.servers[0].samples[METRICS[0]]), comparison.provenance
    return (
        f"{markdown.table(HEADER, rows(comparison), figures=2)}\n"
        f"Milliseconds: median (quartiles) of {count} samples, and what it adds to the row above. "
        f"Profile {comparison.profile}, {provenance.day}, {provenance.machine or UNKNOWN}."
    )

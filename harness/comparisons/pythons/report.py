"""The part of `docs/pythons.md` that compares Pythons in pairs, from its record."""

from harness.comparisons.judge import find
from harness.comparisons.pythons.record import METRICS, STRATEGIES, PythonRow, load
from harness.console import markdown
from harness.lifecycles import metrics
from harness.records.provenance import measured_later
from harness.system.pythons import REFERENCE, full


def render() -> str | None:
    """A table and its caption; None without a record. Raises `PoolstartError` if the record is damaged."""
    rows = load()
    if not rows:
        return None
    # A metric that is newer than the record has no column yet.
    shown = [metric for metric in METRICS if any(ratio(row, metric, "spawn") for row in rows.values())]
    table = markdown.table(
        ["strategy", "Python", *(metrics.get(metric).title for metric in shown)],
        [
            [strategy, python, *(ratio(row, metric, strategy) for metric in shown)]
            for strategy in STRATEGIES
            for python, row in rows.items()
        ],
        figures=2,
    )
    first = next(iter(rows.values()))
    others = {
        name: row.provenance
        for name, row in rows.items()
        if row.provenance.command != first.provenance.command
    }
    builds = "; ".join([build(first.reference), *(build(row.version) for row in rows.values())])
    busy = "".join(f" Python {name}: {row.busy}." for name, row in rows.items() if row.busy)
    return (
        f"{table}\nRatios to Python {REFERENCE}, with 99 % intervals, of workers started in turns.{busy} "
        f"How an interpreter was compiled can matter as much as its version; these are {builds}. "
        f"Measured {first.provenance}{first.provenance.by}.{measured_later(others)}\n"
    )


def ratio(row: PythonRow, metric: str, strategy: str) -> str:
    """`1.05 (1.03-1.06)`; empty if it was not measured."""
    found = find(row.rows, metric, strategy)
    return f"{found.ratio:.2f} ({found.low:.2f}-{found.high:.2f})" if found else ""


def build(version: str) -> str:
    """`3.11.7 (GCC 12.2.0)` of what `sys.version` reports."""
    compiler = version.partition("[")[2].rstrip("]\n ")
    return f"{full(version)} ({compiler})" if compiler else full(version)

"""The section about work."""

from collections.abc import Iterator
from statistics import median

from harness.console import markdown
from harness.console.numbers import digits
from harness.curves import work as curve
from harness.curves.curve import CurveRecord
from harness.curves.figure import svg
from harness.fleets import measure as fleets


def section(record: CurveRecord) -> Iterator[str]:
    yield "## Work\n"
    yield law(record) + "\n"
    yield "![Time of a worker by the number of its queries](curves-work.svg)\n"
    yield WORK
    lines = lines_of(record)
    header = ["strategy", *(str(number) for number in curve.QUERIES)]
    rows = [[name, *(digits(ms) for _, ms in line)] for name, line in lines.items()]
    yield "### A worker's first line until so many queries are done, ms\n"
    yield markdown.table(header, rows, figures=1)
    rows = []
    for name in fleets.STRATEGIES:
        life = curve.overhead(record, name)
        rows.append(
            [
                name,
                digits(life * 1e3),
                *(f"{life / (life + task):.1%}" for task in SHOWN_TASKS),
                duration(curve.long_enough(life)),
                f"{curve.off(record, name):.0%}",
            ]
        )
    header = [
        "strategy",
        "start and end, ms",
        *(duration(task) for task in SHOWN_TASKS),
        "below 1 % from",
        "off",
    ]
    yield "### The share of start and end in the life of a worker with one task of this length\n"
    yield markdown.table(header, rows, figures=1)


WORK = """\
Start and end are measured with a task of 1 ms; the last column is how far the computed lives of workers with
tasks of 100 ms and 1 s are off from the measured ones. A worker that runs several tasks before it is replaced
(`max_tasks_per_child`, `--max-requests`) counts as one long task.
"""

SHOWN_TASKS = (0.001, 0.01, 0.1, 1.0, 10.0)


def lines_of(record: CurveRecord) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds by number of queries."""
    return {
        f"{name}{', PgBouncer' * bool(between)}": [
            (number, median(values) * 1e3)
            for number, values in curve.cumulative(record, name, between).items()
        ]
        for *names, between in map(curve.PAIRS.__getitem__, curve.pairs(record))
        for name in names
    }


def law(record: CurveRecord) -> str:
    parts = []
    for method in curve.pairs(record):
        if found := curve.break_even(record, method):
            estimate, low, high = found
            parts.append(f"{digits(estimate)} with {method} ({digits(low)} to {digits(high)})")
        else:
            parts.append(f"never with {method}")
    lives = {name: curve.long_enough(curve.overhead(record, name)) for name in fleets.STRATEGIES}
    long = ", ".join(f"{duration(seconds)} under `{name}`" for name, seconds in lives.items())
    return (
        f"Work: a pool costs less than NullPool if a worker makes more queries than {'; '.join(parts)} (95 %"
        f" intervals). Start-up takes 1 % of the life of a worker that works for {long}."
    )


def drawing(record: CurveRecord) -> str:
    """The figure, SVG."""
    return svg("Time of a worker by the number of its queries", "queries", "ms", lines_of(record))


def duration(seconds: float) -> str:
    """`20 ms` or `1.5 s`."""
    return (
        f"{seconds:.2g} s"
        if 0.95 <= seconds < 100
        else f"{seconds:.0f} s"
        if seconds >= 1
        else f"{seconds * 1e3:.2g} ms"
    )

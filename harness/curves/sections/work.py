"""The section about work."""

from collections.abc import Iterator, Mapping
from statistics import median

from harness.console import markdown
from harness.console.numbers import digits, task_length
from harness.curves import work as curve
from harness.curves.curve import CurveRecord
from harness.curves.sections.figure import svg
from harness.fleets import measure as fleets


def section(record: CurveRecord) -> Iterator[str]:
    yield "## Work\n"
    pairs = [f"With {pair}, {pays_off(record, pair)}." for pair in curve.pairs(record)]
    yield " ".join([*pairs, f"{sentences(record)[1]}."]) + "\n"
    yield "![Time of a worker by the number of its queries](curves-work.svg)\n"
    yield WORK
    lines = lines_of(record)
    header = ["strategy", *(str(number) for number in curve.QUERIES)]
    rows = [[name, *(digits(ms) for _, ms in line)] for name, line in lines.items()]
    yield "### A worker's first line until so many queries are done, ms\n"
    yield markdown.table(header, rows, figures=1)
    lives = {name: curve.overhead(record, name) for name in fleets.STRATEGIES}
    rows = [
        [
            name,
            digits(life * 1e3),
            *(f"{life / (life + task):.1%}" for task in SHOWN_TASKS),
            task_length(curve.long_enough(life)),
            f"{curve.off(record, name):.0%}",
        ]
        for name, life in lives.items()
    ]
    header = [
        "strategy",
        "start and end, ms",
        *(task_length(task) for task in SHOWN_TASKS),
        "below 1 % from",
        "off",
    ]
    yield "### The share of start and end in the life of a worker with one task of this length\n"
    yield markdown.table(header, rows, figures=1)
    yield "### How many tasks a worker must run for start and end to be below 1 % of its life\n"
    header = ["strategy", *(f"tasks of {task_length(task)}" for task in SHOWN_TASKS)]
    rows = [
        [name, *(str(curve.tasks_enough(life, task)) for task in SHOWN_TASKS)] for name, life in lives.items()
    ]
    yield markdown.table(header, rows, figures=1)


WORK = """\
Start and end are measured with a task of 1 ms; the last column is how far the computed lives of workers with
tasks of 100 ms and 1 s are off from the measured ones. A worker that runs N tasks of T seconds before it is
replaced (`max_tasks_per_child`, `maxtasksperchild`, `--max-requests`) spends start and end once:
share = (start and end) / (start and end + N T), which `poolstart bill --task 100ms --tasks 50` computes.
"""

SHOWN_TASKS = (0.001, 0.01, 0.1, 1.0, 10.0)


SHOWN = ("fork_dispose", "forkserver_preload", "spawn")
"""The strategies in README.md."""


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


def pays_off(record: CurveRecord, pair: str = "fork", source: str = "") -> str:
    """The number of queries above which a pool costs less than NullPool, with its interval, in a sentence."""
    found = curve.break_even(record, pair)
    if found is None:
        return f"a pool never costs less than NullPool{source and f' ({source})'}"
    estimate, low, high = map(digits, found)
    return (
        f"a pool costs less than NullPool if a worker makes more than {estimate} queries (95 % interval {low}"
        f" to {high}{source and f', {source}'})"
    )


def break_even(curves: Mapping[str, CurveRecord]) -> str:
    """The same for forked workers, with the page that shows it; empty if it is not on record."""
    record = curves.get(curve.WorkCurve.name)
    if record is None or "fork" not in curve.pairs(record):
        return ""
    return pays_off(record, source="docs/curves.md")


def drawing(record: CurveRecord) -> str:
    """The figure, SVG."""
    return svg("Time of a worker by the number of its queries", "queries", "ms", lines_of(record))


def sentences(record: CurveRecord) -> list[str]:
    """The laws in README.md."""
    lives = {name: curve.overhead(record, name) for name in SHOWN}
    long = ", ".join(f"{task_length(curve.long_enough(life))} under `{name}`" for name, life in lives.items())
    return [
        f"Pool: {pays_off(record)}",
        f"Tasks: start and end are less than 1 % of a worker's life if its task takes at least {long}",
    ]

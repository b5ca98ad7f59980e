"""The section about stampedes."""

from collections.abc import Iterator, Sequence

from harness.console import markdown
from harness.console.numbers import digits
from harness.curves.curve import CurveRecord
from harness.curves.sections.figure import svg


def section(record: CurveRecord) -> Iterator[str]:
    yield "## Stampede\n"
    yield f"{sentences(record)[0]}.\n"
    yield "![Time until all workers have a row with NullPool](curves-stampede.svg)\n"
    yield STAMPEDE
    header = [
        "workers",
        "connections",
        "away, ms",
        "pool",
        "retry",
        "got a row",
        "refused attempts",
        "last row, ms",
    ]
    yield markdown.table(
        header,
        [
            [
                f"{point.at['workers']:g}",
                f"{point.at['free']:g}",
                f"{float(point.at['distance']) * 1e3:g}",
                "a pool" if point.at["pool"] == "pool" else "NullPool",
                str(point.at["retry"]),
                f"{point.median('rows'):g}",
                f"{point.median('refused'):g}",
                digits(point.median("last") * 1e3),
            ]
            for point in record.points
        ],
        figures=5,
    )


STAMPEDE = """\
All workers connect at the same moment, and fetch a row. A pool keeps its connection until the worker ends,
which is after all have their row or have given up; NullPool returns it at once. Workers try again every
50 ms, or after a pause that doubles from 20 ms to 640 ms and is shortened at random by up to half, for 2 s.
"""


def drawing(record: CurveRecord) -> str:
    """The figure, SVG: of workers that all get a row."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for point in record.where(pool="nullpool"):
        enough = point.at["free"] == point.at["workers"]
        if not enough and point.at["retry"] == "none":
            continue
        name = "enough connections" if enough else f"half, {point.at['retry']}"
        away = f", {float(point.at['distance']) * 1e3:g} ms away" if point.at["distance"] else ""
        line = lines.setdefault(name + away, [])
        line.append((float(point.at["workers"]), point.median("last") * 1e3))
    return svg("Time until all workers have a row with NullPool, by their number", "workers", "ms", lines)


def _range(form: str, values: Sequence[float]) -> str:
    """`50%`, or `40% to 60%`."""
    low, high = form.format(min(values)), form.format(max(values))
    return low if low == high else f"{low} to {high}"


def sentences(record: CurveRecord) -> list[str]:
    """The law in README.md."""

    def rows(pool: str) -> str:
        return _range(
            "{:.0%}",
            [
                point.median("rows") / float(point.at["workers"])
                for point in record.where(pool=pool, retry="backoff")
            ],
        )

    return [
        "Stampede: if the server has connections for half of the workers and the others retry,"
        f" {rows('nullpool')} of the workers get a row with NullPool, and {rows('pool')} with a pool"
    ]

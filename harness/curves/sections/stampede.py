"""The section about stampedes."""

from collections.abc import Iterator

from harness.console import markdown
from harness.console.numbers import digits
from harness.curves.curve import CurveRecord


def section(record: CurveRecord) -> Iterator[str]:
    yield "## Stampede\n"
    yield law(record) + "\n"
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
                digits(point.median("rows")),
                digits(point.median("refused")),
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


def law(record: CurveRecord) -> str:
    def share(pool: str, retry: str) -> str:
        points = [
            point
            for point in record.where(pool=pool, retry=retry)
            if float(point.at["free"]) < float(point.at["workers"])
        ]
        found = [point.median("rows") / float(point.at["workers"]) for point in points]
        low, high = min(found), max(found)
        return f"{low:.0%}" if f"{low:.0%}" == f"{high:.0%}" else f"{low:.0%} to {high:.0%}"

    return (
        "Stampede: with connections for half of the workers,"
        f" {share('pool', 'none')} get a row with a pool, {share('pool', 'backoff')} if they try again;"
        f" with NullPool {share('nullpool', 'none')}, and {share('nullpool', 'backoff')} if they try again."
    )

"""The section about sizes."""

from collections.abc import Iterator

from harness.console import markdown
from harness.console.numbers import digits
from harness.curves import sizes as curve
from harness.curves.curve import CurveRecord, Fit
from harness.curves.sections.figure import svg


def section(record: CurveRecord) -> Iterator[str]:
    yield "## Sizes\n"
    yield f"{sentences(record)[0]}.{_others(record)}\n"
    yield "![Time that a fork blocks its parent, by the size of the parent](curves-sizes.svg)\n"
    yield SIZES
    gib = [f"{mib / 1024:g} GiB" for mib in curve.SIZES]
    header = [
        "data",
        *gib,
        "for each GiB (95 %)",
        "until a worker's first line",
        "with 8 workers together, each",
    ]
    rows = []
    for kind in curve.kinds(record):
        points = {point.at["mib"]: point for point in record.where(strategy=curve.FORKED, kind=kind)}
        cells = [digits(points[mib].median("blocked") * 1e3) if mib in points else "" for mib in curve.SIZES]
        fits = (curve.by_gib(record, kind, figure) for figure in ("blocked", "startup", "each"))
        rows.append([curve.TITLES[kind], *cells, *map(_slope, fits)])
    yield "### `start()` blocks the parent, ms\n"
    yield markdown.table(header, rows, figures=1)
    header = ["data", "on huge pages", "page tables, MiB", "written before any fork", "written after one"]
    rows = []
    for kind in curve.kinds(record):
        (*_, largest) = record.where(strategy=curve.FORKED, kind=kind)
        amount = float(largest.at["mib"]) / 1024
        written = [
            digits(largest.median(name) * 1e3) if name in largest.values else ""
            for name in ("write_before", "write_after")
        ]
        rows.append(
            [
                curve.TITLES[kind],
                f"{largest.median('huge') / largest.median('rss'):.0%}",
                digits(largest.median("page_tables_first_row") / 2 / 2**20 / amount),
                *written,
            ]
        )
    yield "### A GiB of it: pages, page tables of each process, and ms that the parent takes to write to it\n"
    yield markdown.table(header, rows, figures=1)


SIZES = """\
The parent is built once for each point, and every page of its data is written, so that all of it is resident.
A fork copies page table entries, of which huge pages need five hundred times fewer, although the kernel
reserves tables for them too. numpy asks for huge pages by itself, Python objects are on none. The parent's
first write to a page after a fork copies that page.
"""


def _slope(line: Fit) -> str:
    low, high = line.interval
    return f"{line.slope * 1e3:.2g} ({low * 1e3:.2g} to {high * 1e3:.2g})"


def lines_of(record: CurveRecord) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds that `start()` takes by GiB, for each kind of data."""
    return {
        curve.TITLES[kind]: [
            (float(point.at["mib"]) / 1024, point.median("blocked") * 1e3)
            for point in record.where(strategy=curve.FORKED, kind=kind)
            if point.at["mib"]
        ]
        for kind in curve.kinds(record)
    }


def _others(record: CurveRecord) -> str:
    """A sentence on the cost of Python objects, and one on strategies that do not fork the parent."""
    found = ""
    if "objects" in curve.kinds(record):
        line = curve.by_gib(record, "objects", "blocked")
        cost, low, high = (each * 1e3 / curve.MILLIONS_PER_GIB for each in (line.slope, *line.interval))
        found = f" A million Python objects cost {cost:.2g} ms (95 % interval {low:.2g} to {high:.2g})."
    pairs = [points for name in curve.OTHERS if len(points := record.where(strategy=name)) > 1]
    if changes := [points[-1].median("first") / points[0].median("first") - 1 for points in pairs]:
        most = max(map(abs, changes))
        found += f" Under a fork server or spawn the first row changes by {most:.0%} at most."
    return found


def drawing(record: CurveRecord) -> str:
    """The figure, SVG."""
    return svg(
        "Time that a fork blocks its parent, by its size",
        "data in the parent, GiB",
        "ms",
        lines_of(record),
    )


def sentences(record: CurveRecord) -> list[str]:
    """The law in README.md."""
    slopes = {kind: curve.by_gib(record, kind, "blocked").slope * 1e3 for kind in curve.kinds(record)}
    least, most = min(slopes, key=slopes.__getitem__), max(slopes, key=slopes.__getitem__)
    return [
        f"Size: a fork blocks its parent for {slopes[least]:.2g} ms ({curve.TITLES[least]}) to"
        f" {slopes[most]:.2g} ms ({curve.TITLES[most]}) for each GiB of its data"
    ]

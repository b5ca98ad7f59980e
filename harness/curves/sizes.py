"""Sizes: what data in the parent cost a forked worker, and the parent that goes on writing to them."""

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, cast

from harness.curves.curve import At, CurvePlan, CurveRecord, Fit, Point, Samples, fit
from harness.fleets.inside.data import ARROW, BYTES_PER_OBJECT, DATAFRAME, NUMBERS, OBJECTS
from harness.system import memory
from harness.system.memory import MIB

if TYPE_CHECKING:
    from harness.postgres.server import Server

SIZES = (0, 512, 1024, 2048, 4096, 8192)
"""MiB of data in the parent; with 0 it has only imported what makes such data."""

ORDINARY = "numbers_ordinary"

KINDS = {DATAFRAME: DATAFRAME, NUMBERS: NUMBERS, ORDINARY: NUMBERS, ARROW: ARROW, OBJECTS: OBJECTS}
"""Kinds of data, and what `harness.fleets.inside.data` calls them. Numbers are put on huge pages by numpy,
where the system allows it; `numbers_ordinary` are on ordinary pages."""

TITLES = {
    DATAFRAME: "DataFrame of numbers and texts",
    NUMBERS: "numbers",
    ORDINARY: "numbers on ordinary pages",
    ARROW: "Arrow buffers",
    OBJECTS: "texts as Python objects",
}
"""What pages, bill and chooser call them."""

VARIABLES = {ORDINARY: {"NUMPY_MADVISE_HUGEPAGE": "0"}}

FORKED, OTHERS = "fork_dispose", ("forkserver_preload", "spawn")
"""The strategy whose workers copy the parent's page tables, and two that should not depend on its size."""

FORKS, FLEET = 5, 8
"""Workers of each parent, one after another, and then together."""

GIB = 2**30

MILLIONS_PER_GIB = GIB / BYTES_PER_OBJECT / 1e6
"""Of texts as Python objects."""

SHARE = 0.6
"""Of the available memory: a parent larger than this is refused, since nothing may be swapped."""


class SizesCurve(CurvePlan):
    name = "sizes"
    seconds = 4.0

    def points(self) -> Sequence[At]:
        cells = [(FORKED, kind, mib) for kind, mib in product(KINDS, SIZES)]
        cells += [(name, ORDINARY, mib) for name, mib in product(OTHERS, (0, 4096))]
        return [
            {"strategy": name, "kind": kind, "mib": mib} for name, kind, mib in ((FORKED, "none", 0), *cells)
        ]

    def refused(self, at: At, server: "Server") -> str:
        mib, free = float(at["mib"]), memory.available() / MIB
        if mib > SHARE * free:
            return f"{mib / 1024:g} GiB are more than {SHARE:.0%} of the {free / 1024:.1f} GiB that are free"
        if at["kind"] == ARROW and not importlib.util.find_spec("pyarrow"):
            return "the package pyarrow is not installed"
        return ""

    def measure(self, at: At, server: "Server") -> Samples:
        # Only here, because `poolstart bill` imports this module.
        from harness.fleets import measure as fleets

        kind, forked = str(at["kind"]), at["strategy"] == FORKED
        data = KINDS.get(kind, "")
        written = bool(at["mib"]) and forked and data != DATAFRAME
        parent, (first, *singles, fleet) = fleets.run(
            str(at["strategy"]),
            server,
            workers=[*([1] * (FORKS if forked else 2)), FLEET],
            data=data,
            mib=int(at["mib"]),
            steps=["collect"],
            write=written,
            variables=VARIABLES.get(kind, {}),
        )
        # The first fork pays for what a parent does once, such as marking its pages as shared.
        timed = [(report["called"], report["returned"], report["workers"][0]) for report in singles]
        values: dict[str, list[float]] = {
            "first_fork": [(first["returned"] - first["called"]) * 1e-9],
            "blocked": [(returned - called) * 1e-9 for called, returned, _ in timed],
            "startup": [(worker["begun"] - called) * 1e-9 for called, _, worker in timed],
            "first": [(worker["first_row"] - called) * 1e-9 for called, _, worker in timed],
            "each": [
                (max(worker["first_row"] for worker in fleet["workers"]) - fleet["called"]) * 1e-9 / FLEET
            ],
            "rss": [parent["rss"]],
            "huge": [parent["huge"]],
        }
        for phase in ("first_row", "collect"):
            for part, size in first["memory"][phase].items():
                values[f"{part}_{phase}"] = [cast(int, size)]
        if written and parent["write"]:
            for name, (size, seconds) in (("before", parent["write"]), ("after", fleet["write"])):
                values[f"write_{name}"] = [seconds / size * GIB]
        return values


@dataclass(frozen=True)
class DataCosts:
    """What one kind of data in the parent costs."""

    kind: str
    fork: tuple[tuple[float, float], ...]
    """GiB, and seconds that they cost each forked worker. It is no line: a GiB of a large parent costs less
    than one of a small parent. With 0 GiB it has inherited only the library that makes such data."""
    once: tuple[tuple[float, float], ...]
    """GiB, and seconds that the first fork of a parent takes longer than later ones because of the data."""
    library: float
    """Bytes of the library, in the parent."""
    copied: float
    """Bytes of the library that a forked worker copies in a full collection."""
    tables: float
    """Bytes of page tables of each process that has the data, for each GiB."""
    largest: int
    """MiB of the largest parent that was measured."""


def costs(record: CurveRecord) -> Iterator[DataCosts]:
    """The coefficients of each kind of data that was measured."""
    (none,) = record.where(strategy=FORKED, kind="none")
    for kind in KINDS:
        points = record.where(strategy=FORKED, kind=kind)
        if len(points) < 2:
            continue
        empty, largest = points[0], points[-1]
        # A library may not make a fork cheaper: that is the scatter of the empty parents.
        base = min(none.median("each"), empty.median("each"))
        memory, without = (each.median("pss_first_row") for each in (empty, none))
        copied, copied_without = (
            each.median("pss_collect") - each.median("pss_first_row") for each in (empty, none)
        )
        yield DataCosts(
            kind,
            fork=tuple((float(point.at["mib"]) / 1024, point.median("each") - base) for point in points),
            once=tuple(
                (float(point.at["mib"]) / 1024, max(0.0, _first_fork(point) - _first_fork(none)))
                for point in points
            ),
            library=memory - without,
            copied=copied - copied_without,
            # Parent and worker have the same ones.
            tables=by_gib(record, kind, "page_tables_first_row").slope / 2,
            largest=int(largest.at["mib"]),
        )


def _first_fork(point: Point) -> float:
    """Seconds that the first fork of a parent takes longer than later ones; 0 in an older record."""
    return point.median("first_fork") - point.median("blocked") if "first_fork" in point.values else 0.0


def kinds(record: CurveRecord) -> list[str]:
    """The kinds of data that were measured in several sizes."""
    return [kind for kind in KINDS if len(record.where(strategy=FORKED, kind=kind)) > 1]


def by_gib(record: CurveRecord, kind: str, figure: str) -> Fit:
    """The line of a figure over the size of the parent in GiB."""
    return fit(
        {
            float(point.at["mib"]) / 1024: point.values[figure]
            for point in record.where(strategy=FORKED, kind=kind)
        }
    )

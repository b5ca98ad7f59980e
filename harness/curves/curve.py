"""What all curves have in common: points that are measured in turns, and the record of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from harness.postgres.server import Server
from harness.records import store
from harness.records.provenance import Provenance
from harness.records.session import Parts
from harness.system import files
from harness.system.errors import PoolstartError
from harness.system.structure import structure

PATH = store.path("curves")

At = Mapping[str, str | float]
"""Where a point lies: the value of each parameter."""

Samples = Mapping[str, Sequence[float]]
"""What one visit to a point measured: the values of each figure."""


@dataclass(frozen=True)
class Point:
    """The figures of one point: all values of all visits."""

    at: dict[str, str | float]
    values: dict[str, list[float]]

    def median(self, figure: str) -> float:
        return median(self.values[figure])


@dataclass(frozen=True)
class CurveRecord:
    """One measured curve."""

    provenance: Provenance
    points: list[Point]
    left_out: list[str] = field(default_factory=list)
    """Which points were not measured, and why."""

    def where(self, **at: str | float) -> list[Point]:
        """The points with these parameters, in the order in which they were planned."""
        return [point for point in self.points if at.items() <= point.at.items()]


class CurvePlan:
    """A set of points, and how one of them is measured. Each module beside this one derives its own."""

    name = ""
    title = ""
    """What is measured, in a few words."""
    visits = 3
    """How often each point is visited, each time with a new parent."""
    seconds = 1.0
    """Of a visit, on the average."""

    def points(self) -> Sequence[At]:
        """All points, in the order of the record."""
        raise NotImplementedError

    def refused(self, at: At, server: Server) -> str:
        """Why a point cannot be measured on this machine; empty if it can."""
        return ""

    def measure(self, at: At, server: Server) -> Samples:
        """Visit a point once. Raises `Rejected` if a process hangs or fails a check."""
        raise NotImplementedError


def measured(
    curve: CurvePlan,
    server: Server,
    *,
    visits: int,
    parts: Parts | None = None,
    progress: Callable[[str], None] = lambda step: None,
    command: str = "",
) -> CurveRecord:
    """Visit all points of a curve in turns, less what is among `parts`.

    What is left out is announced first. Raises `PoolstartError` if a point has lost the room that it needs,
    and `Rejected` if a visit fails.
    """
    parts = parts or Parts()
    reasons = {key(at): curve.refused(at, server) for at in curve.points()}
    left_out = [f"{words(at)}: {reasons[key(at)]}" for at in curve.points() if reasons[key(at)]]
    for reason in left_out:
        progress(f"left out: {reason}")
    wanted = [at for at in curve.points() if not reasons[key(at)]]
    for visit in range(visits):
        # Every other time backwards, so that what drifts meets all points alike.
        for number, at in enumerate(wanted if visit % 2 == 0 else wanted[::-1], 1):
            part = f"{curve.name} {visit} {key(at)}"
            if part not in parts.parts:
                if reason := curve.refused(at, server):
                    raise PoolstartError(f"{words(at)}: {reason}", "the same command continues here")
                progress(f"visit {visit + 1} of {visits}, point {number} of {len(wanted)}: {words(at)}")
                parts.add(part, {name: list(values) for name, values in curve.measure(at, server).items()})
    points = []
    for at in wanted:
        taken = [parts.parts[f"{curve.name} {visit} {key(at)}"] for visit in range(visits)]
        points.append(
            Point(dict(at), {name: [value for one in taken for value in one[name]] for name in taken[0]})
        )
    return CurveRecord(Provenance.here(server.identity, command), points, left_out)


def key(at: At) -> str:
    return json.dumps(dict(at), sort_keys=True)


def words(at: At) -> str:
    """A point for messages: `strategy spawn, distance 0.01`."""
    return ", ".join(f"{name} {value}" for name, value in at.items())


@dataclass(frozen=True)
class Fit:
    """A line `base + slope * x`, and the 95 % interval of its slope."""

    base: float
    slope: float
    low: float
    high: float

    def at(self, x: float) -> float:
        return self.base + self.slope * x


def fit(values: Mapping[float, Sequence[float]]) -> Fit:
    """The line through samples by x, from least squares of relative errors, with Student's interval.

    The medians of the samples are fitted, so that the interval says how far they are from a line.
    """
    import numpy as np
    from scipy.stats import t

    xs = np.array(sorted(values))
    ys = np.array([median(values[x]) for x in xs])
    rows = np.column_stack([np.ones(len(xs)), xs]) / ys[:, None]
    (base, slope), *_ = np.linalg.lstsq(rows, np.ones(len(xs)), rcond=None)
    free = len(xs) - 2
    if free < 1:
        return Fit(float(base), float(slope), -np.inf, np.inf)
    residual = float(np.sum((rows @ np.array([base, slope]) - 1) ** 2)) / free
    half = float(t.ppf(0.975, free) * np.sqrt(residual * np.linalg.inv(rows.T @ rows)[1, 1]))
    return Fit(float(base), float(slope), float(slope) - half, float(slope) + half)


def load(path: Path = PATH) -> dict[str, CurveRecord]:
    """The recorded curves by name. Raises `PoolstartError` if the file is damaged."""
    if not path.exists():
        return {}
    with store.reading(path, "poolstart record curves") as fields:
        return structure(dict[str, CurveRecord], fields)


def save(curves: Mapping[str, CurveRecord], path: Path = PATH) -> None:
    """Write the curves, a point a line."""
    files.require_writable(path)
    store.write(path, {name: asdict(record) for name, record in curves.items()})

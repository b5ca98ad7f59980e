"""What all curves have in common: points measured in turns, those of the user among them, and the record."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from math import inf, isfinite, sqrt
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from harness.records import store
from harness.records.provenance import Provenance
from harness.records.session import Parts
from harness.system import files
from harness.system.errors import PoolstartError

if TYPE_CHECKING:
    from harness.postgres.server import Server

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
    visits = 3
    """How often each point is visited, each time with a new parent."""
    seconds = 1.0
    """Of a visit, on the average."""

    def points(self) -> Sequence[At]:
        """All points, in the order of the record."""
        raise NotImplementedError

    def refused(self, at: At, server: "Server") -> str:
        """Why a point cannot be measured on this machine; empty if it can."""
        return ""

    def used(self) -> Sequence[str]:
        """What its points need besides the reference driver, with versions."""
        return ()

    def measure(self, at: At, server: "Server") -> Samples:
        """Visit a point once. Raises `Rejected` if a process hangs or fails a check."""
        raise NotImplementedError


MARK = " at "
"""In the name of such a curve, before its parameters: it is never mixed with the curve itself."""


class OwnPoints(CurvePlan):
    """The points of a curve that have all the given parameters, with the given values."""

    def __init__(self, curve: CurvePlan, given: Sequence[str]) -> None:
        """Each of `given` is `NAME=VALUE`, or `NAME=VALUE,VALUE`: numbers in the units of the record.

        Raises PoolstartError if the curve has no such parameter, or a value is none that it can have.
        """
        self.curve = curve
        self.values = dict(_parameter(curve, each) for each in given)
        self.name = f"{curve.name}{MARK}{' '.join(given)}"
        self.visits, self.seconds = curve.visits, curve.seconds

    def points(self) -> Sequence[At]:
        found: dict[str, At] = {}
        for at in self.curve.points():
            if self.values.keys() <= at.keys():
                for values in product(*(self.values.get(name, (value,)) for name, value in at.items())):
                    own = dict(zip(at, values, strict=True))
                    found.setdefault(key(own), own)
        return list(found.values())

    def refused(self, at: At, server: "Server") -> str:
        return self.curve.refused(at, server)

    def used(self) -> Sequence[str]:
        return self.curve.used()

    def measure(self, at: At, server: "Server") -> Samples:
        return self.curve.measure(at, server)


def _parameter(curve: CurvePlan, given: str) -> tuple[str, list[str | float]]:
    name, _, texts = given.partition("=")
    planned = {str(at[name]): at[name] for at in curve.points() if name in at}
    if not planned:
        known = dict.fromkeys(name for at in curve.points() for name in at)
        raise PoolstartError(
            f"{curve.name} has no parameter {name!r}", f"give one as NAME=VALUE: {', '.join(known)}"
        )
    return name, list(_values(name, texts.split(","), planned))


def _values(name: str, texts: Sequence[str], planned: dict[str, str | float]) -> Iterator[str | float]:
    numbers = [type(value) for value in planned.values() if not isinstance(value, str)]
    for text in texts:
        try:
            number = numbers[0](text) if numbers and text not in planned else None
        except ValueError:
            number = None
        if number is not None and number >= 0 and isfinite(number):
            yield number
        elif text in planned:
            yield planned[text]
        else:
            what = "a number that is not negative" if numbers else f"one of {', '.join(planned)}"
            raise PoolstartError(f"{name}={text} cannot be measured", f"give {what}")


def measured(
    curve: CurvePlan,
    server: "Server",
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
    provenance = Provenance.here(server.identity, command)
    frames = ", ".join(filter(None, [provenance.frames, *curve.used()]))
    return CurveRecord(replace(provenance, frames=frames), points, left_out)


def key(at: At) -> str:
    return json.dumps(dict(at), sort_keys=True)


def words(at: At) -> str:
    """A point for messages: `strategy spawn, distance 0.01`."""
    return ", ".join(f"{name} {value}" for name, value in at.items())


@dataclass(frozen=True)
class Fit:
    """A line `base + slope * x`, and how certain its slope is."""

    base: float
    slope: float
    error: float
    """The standard error of the slope, infinite for two points."""
    free: int
    """Degrees of freedom."""

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the slope, Student's."""
        # Only here, because a bill needs no interval, and the import takes longer than the rest of it.
        from scipy.stats import t

        half = float(t.ppf(0.975, self.free)) * self.error if self.free > 0 else inf
        return self.slope - half, self.slope + half


def fit(values: Mapping[float, Sequence[float]]) -> Fit:
    """The line through samples by x, from least squares of relative errors.

    The medians of the samples are fitted, so that the interval says how far they are from a line.
    """
    points = [(median(values[x]) ** -2, x, median(values[x])) for x in sorted(values)]
    whole = sum(weight for weight, _, _ in points)
    x_mean = sum(weight * x for weight, x, _ in points) / whole
    y_mean = sum(weight * y for weight, _, y in points) / whole
    spread = sum(weight * (x - x_mean) ** 2 for weight, x, _ in points)
    slope = sum(weight * (x - x_mean) * (y - y_mean) for weight, x, y in points) / spread
    base, free = y_mean - slope * x_mean, len(points) - 2
    residual = sum(weight * (base + slope * x - y) ** 2 for weight, x, y in points)
    return Fit(base, slope, sqrt(residual / free / spread) if free > 0 else inf, free)


def load(path: Path = PATH) -> dict[str, CurveRecord]:
    """The recorded curves by name. Raises `PoolstartError` if the file is damaged."""
    return store.load(dict[str, CurveRecord], path, "poolstart record curves") or {}


def save(curves: Mapping[str, CurveRecord], path: Path = PATH) -> None:
    """Write the curves, a point a line."""
    files.require_writable(path)
    store.write(path, {name: asdict(record) for name, record in curves.items()})

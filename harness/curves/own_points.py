"""A curve at points of the user's own: parameters with other values than those of the curve."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import isfinite
from typing import TYPE_CHECKING

from harness.curves.curve import At, CurvePlan, Samples, key
from harness.system.errors import PoolstartError

if TYPE_CHECKING:
    from harness.postgres.server import Server

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

"""Combinations of a driver, a Python and a pooler."""

from dataclasses import dataclass

from harness import drivers
from harness.answer.code import parts
from harness.answer.code.parts import MODES, Variant
from harness.drivers import MEASURED, Driver
from harness.hazards import expected
from harness.system import pythons
from harness.system.errors import PoolstartError

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The Pythons that poolstart supports, the reference first."""


@dataclass(frozen=True)
class Combination:
    """The driver, Python and pooler of a program."""

    driver: Driver = MEASURED
    python: str = pythons.REFERENCE
    """The minor version."""
    pooler: str = ""
    """The mode of PgBouncer, one of `MODES`; empty without a pooler."""

    @property
    def title(self) -> str:
        """`asyncpg under Python 3.14`, without the pooler."""
        return f"{self.driver.title} under Python {self.python}"

    @property
    def key(self) -> str:
        """`asyncpg 3.14`, for the site's script."""
        return f"{self.driver.name} {self.python}"

    @property
    def record(self) -> str:
        """Its name in the record of verdicts (`harness.hazards.expected.combination`)."""
        return expected.combination(self.python, self.driver.name)

    def variant(self) -> Variant:
        """The variant of its code, which is the same for both implementations of psycopg."""
        (coded,) = (each for each in parts.DRIVERS if each.dialect == self.driver.dialect)
        return Variant(coded, self.pooler)


ALL = tuple(Combination(driver, python) for driver in drivers.DRIVERS for python in PYTHONS)
"""Every driver under every Python, without a pooler."""

REFERENCE = Combination()


def named(driver: str = "", python: str = "", pooler: str = "") -> Combination:
    """The combination of these names; an empty one is the reference's.

    Raises `PoolstartError` for a name that is not known.
    """
    minor = pythons.minor(python) if python else pythons.REFERENCE
    if minor not in PYTHONS:
        raise PoolstartError(f"no Python {python!r} is measured", f"known are {', '.join(PYTHONS)}")
    if pooler and pooler not in MODES:
        raise PoolstartError(f"PgBouncer has no mode {pooler!r} here", f"known are {', '.join(MODES)}")
    return Combination(drivers.get(driver) if driver else MEASURED, minor, pooler)

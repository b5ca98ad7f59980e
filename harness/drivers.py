"""Drivers: how a URL names one, and what a fork server imports in advance for it.

The only place that knows. `poolstart` measures psycopg2; the other driver is here because SQLAlchemy 2.1 uses
it where a URL names none.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Driver:
    """A DBAPI for PostgreSQL."""

    name: str
    """As in `postgresql+NAME://`."""
    title: str
    """As people call it."""
    preload: tuple[str, ...]
    """What a fork server imports, so that a worker imports nothing more of SQLAlchemy and the driver."""

    @property
    def drivername(self) -> str:
        """Dialect and driver, as a URL names them."""
        return f"postgresql+{self.name}"


# The dialect imports its driver when an engine is created, and psycopg2.extras when the first one connects.
PSYCOPG2 = Driver("psycopg2", "psycopg2", ("sqlalchemy.dialects.postgresql.psycopg2", "psycopg2.extras"))
PSYCOPG = Driver("psycopg", "psycopg 3", ("sqlalchemy.dialects.postgresql.psycopg", "psycopg"))


def modules_to_preload(name: str) -> tuple[str, ...]:
    """What a fork server imports for the driver of this name, listed here or not."""
    known = {driver.name: driver.preload for driver in (PSYCOPG2, PSYCOPG)}
    return known.get(name, (f"sqlalchemy.dialects.postgresql.{name}", name))


MEASURED = PSYCOPG2
"""The driver of all series, and of all code that pages show."""


def url(driver: Driver) -> str:
    """A URL that names the driver, to be replaced in the code that pages show."""
    return f"{driver.drivername}://user:password@host/database"


URL = url(MEASURED)
"""The URL in the code that pages show, to be replaced."""

PSYCOPG3_SINCE = (2, 1)
"""From this SQLAlchemy release on, `postgresql://` means psycopg 3."""


def default_driver(release: str) -> Driver:
    """The driver that a SQLAlchemy release uses for `postgresql://`."""
    number = tuple(int(part) for part in re.findall(r"\d+", release)[:2])
    return PSYCOPG if number >= PSYCOPG3_SINCE else PSYCOPG2


def upgrade_note(before: str, after: str) -> str:
    """What to know first about two releases; empty if `postgresql://` means the same driver in both."""
    return "" if default_driver(before) == default_driver(after) else UPGRADE


UPGRADE = (
    f"From SQLAlchemy 2.1 on, postgresql:// means {PSYCOPG.title}; until 2.0 it meant {PSYCOPG2.title}. Name"
    f" the driver in the URL ({PSYCOPG2.drivername}:// or {PSYCOPG.drivername}://), and preload the one that"
    " you name: if a fork server preloads the other, workers start several times slower, without a warning."
    f" All releases are measured with {MEASURED.title} here."
)

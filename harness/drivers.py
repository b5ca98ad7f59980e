"""The catalogue of drivers: everything that depends on the driver is in its entry.

psycopg2 is the reference, as the only driver that all measured releases have. `POOLSTART_DRIVER` chooses
another one, whose figures form a series of their own.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.system.errors import PoolstartError

DRIVER = "POOLSTART_DRIVER"
"""Environment variable: the name of the driver to measure."""


def libpq_socket(connection: Any) -> int:
    """The descriptor of a connection of psycopg2 or psycopg."""
    return int(connection.fileno())


def asyncpg_socket(connection: Any) -> int:
    """The descriptor of a connection of asyncpg."""
    return int(connection._transport.get_extra_info("socket").fileno())


@dataclass(frozen=True)
class Driver:
    """A DBAPI for PostgreSQL, and whether its engine is used synchronously."""

    name: str
    """Its name in `POOLSTART_DRIVER` and in results."""
    title: str
    """Its name for people."""
    dialect: str
    """DIALECT in `postgresql+DIALECT://`."""
    module: str
    """The module that is imported, and has `__version__`."""
    packages: tuple[tuple[str, str], ...]
    """The packages to install, each with its version."""
    preload: tuple[str, ...]
    """Modules that a fork server imports, so that a worker imports no more of SQLAlchemy and the driver."""
    since: tuple[int, ...] = ()
    """The first SQLAlchemy release with its dialect; empty if all have it."""
    asynchronous: bool = False
    """Whether its engine is an `AsyncEngine`, used in an event loop."""
    bound_to_loop: bool = False
    """Whether a connection works only in the event loop that opened it, and so not in a forked worker."""
    implementation: str = ""
    """The value that `psycopg.pq.__impl__` must have; empty for drivers with one implementation."""
    libpq: str = ""
    """The function of its module that returns libpq's version; empty for a driver without libpq."""
    renamed: Mapping[str, str] = field(default_factory=dict, hash=False)
    """For a driver without libpq: its names for libpq's parameters that are not in `COMMON`."""
    query: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Parameters of its URLs; `{application_name}` is replaced."""
    descriptor: Callable[[Any], int] = libpq_socket
    """Returns the descriptor of the socket of the driver's own connection."""
    behind_pooler: str = ""
    """Arguments of create_engine behind PgBouncer in transaction mode, as in code; empty if it needs none."""

    @property
    def version(self) -> str:
        """The version that is measured."""
        return self.packages[0][1]

    @property
    def label(self) -> str:
        """Name and version, as they are recorded."""
        return f"{self.name} {self.version}"

    @property
    def drivername(self) -> str:
        """Dialect and driver, as in a URL."""
        return f"postgresql+{self.dialect}"

    def url_parameters(self, server: Mapping[str, str], application_name: str) -> dict[str, str]:
        """The parameters of a URL for this driver, under libpq's names, from those of the server.

        Raises `PoolstartError` for a parameter of the server that the driver does not know.
        """
        own = {name: text.format(application_name=application_name) for name, text in self.query.items()}
        if self.libpq:
            return {**server, **own}
        if unknown := server.keys() - COMMON - self.renamed.keys():
            raise PoolstartError(
                f"{self.name} does not know the parameter {min(unknown)} of the server's URL",
                f"leave it out, or measure {MEASURED.name}",
            )
        return {**{self.renamed.get(name, name): text for name, text in server.items()}, **own}

    def not_applicable(self, release: str) -> str:
        """Why a SQLAlchemy release does not have its dialect; empty if it has."""
        number = tuple(int(part) for part in re.findall(r"\d+", release)[: len(self.since)])
        if number >= self.since:
            return ""
        return f"{self.title} needs SQLAlchemy {'.'.join(map(str, self.since))}, this is {release}"


COMMON = {"user", "password", "host", "port", "dbname"}
"""Parameters that every driver knows."""

# Negotiating GSSAPI takes time at every connect, and very long on some machines.
LIBPQ: Mapping[str, str] = {"gssencmode": "disable", "application_name": "{application_name}"}

DIALECT = "sqlalchemy.dialects.postgresql."

# The dialect imports its driver when an engine is created, and psycopg2.extras when the first one connects.
PSYCOPG2 = Driver(
    "psycopg2",
    "psycopg2",
    dialect="psycopg2",
    module="psycopg2",
    packages=(("psycopg2-binary", "2.9.13"),),
    preload=(DIALECT + "psycopg2", "psycopg2.extras"),
    libpq="extensions.libpq_version",
    query=LIBPQ,
)
PSYCOPG = Driver(
    "psycopg",
    "psycopg 3",
    dialect="psycopg",
    module="psycopg",
    packages=(("psycopg", "3.3.9"), ("psycopg-binary", "3.3.9")),
    preload=(DIALECT + "psycopg", "psycopg"),
    since=(2, 0),
    implementation="binary",
    libpq="pq.version",
    query=LIBPQ,
    behind_pooler='connect_args={"prepare_threshold": None}',
)
PSYCOPG_PURE = replace(
    PSYCOPG,
    name="psycopg_pure",
    title="psycopg 3, pure Python",
    packages=PSYCOPG.packages[:1],
    implementation="python",
)
ASYNCPG = Driver(
    "asyncpg",
    "asyncpg",
    dialect="asyncpg",
    module="asyncpg",
    packages=(("asyncpg", "0.32.0"), ("greenlet", "3.5.6")),
    preload=("sqlalchemy.ext.asyncio", DIALECT + "asyncpg", "asyncpg"),
    since=(1, 4),
    asynchronous=True,
    bound_to_loop=True,
    descriptor=asyncpg_socket,
    renamed={"sslmode": "ssl"},
    # In a URL, asyncpg accepts server settings only as part of a `dsn`.
    query={"dsn": "postgresql:///?application_name={application_name}"},
    behind_pooler='connect_args={"statement_cache_size": 0, "prepared_statement_cache_size": 0}',
)

DRIVERS = (PSYCOPG2, PSYCOPG, PSYCOPG_PURE, ASYNCPG)

MEASURED = PSYCOPG2
"""The driver of the default series, and of the code on pages unless the reader chooses another."""


def get(name: str) -> Driver:
    """The driver of this name. Raises `PoolstartError` if there is none."""
    for driver in DRIVERS:
        if driver.name == name:
            return driver
    raise PoolstartError(
        f"no driver {name!r} is measured", f"known are {', '.join(driver.name for driver in DRIVERS)}"
    )


def current() -> Driver:
    """The driver named by `POOLSTART_DRIVER`, or the default. Raises `PoolstartError` if it is unknown."""
    name = os.environ.get(DRIVER) or MEASURED.name
    try:
        return get(name)
    except PoolstartError as error:
        raise PoolstartError(f"{DRIVER}={name}: {error.problem}", error.remedy) from None


def choose(name: str) -> Driver:
    """Use the driver of this name in this process and all that it starts; without a name, use `current`.

    Raises `PoolstartError` if there is none of that name.
    """
    if name:
        os.environ[DRIVER] = get(name).name
    return current()


def modules_to_preload(dialect: str) -> tuple[str, ...]:
    """The modules that a fork server preloads for a URL's dialect, in the catalogue or not."""
    for driver in DRIVERS:
        if driver.dialect == dialect:
            return driver.preload
    return (f"{DIALECT}{dialect}", dialect)


def url(driver: Driver) -> str:
    """The placeholder URL, with this driver, in the code that pages show."""
    return f"{driver.drivername}://user:password@host/database"


URL = url(MEASURED)
"""The placeholder URL in the code that pages show."""

PSYCOPG3_SINCE = (2, 1)
"""From this SQLAlchemy release on, `postgresql://` means psycopg 3."""


def default_driver(release: str) -> Driver:
    """The driver that a SQLAlchemy release uses for `postgresql://`."""
    number = tuple(int(part) for part in re.findall(r"\d+", release)[:2])
    return PSYCOPG if number >= PSYCOPG3_SINCE else PSYCOPG2


def upgrade_note(before: str, after: str) -> str:
    """A warning that `postgresql://` means different drivers in two releases; empty if it does not."""
    return "" if default_driver(before) == default_driver(after) else UPGRADE


UPGRADE = (
    f"From SQLAlchemy 2.1 on, postgresql:// means {PSYCOPG.title}; until 2.0 it meant {PSYCOPG2.title}. Name"
    f" the driver in the URL ({PSYCOPG2.drivername}:// or {PSYCOPG.drivername}://), and preload the one that"
    " you name: if a fork server preloads the other, workers start several times slower, without a warning."
    f" All releases are measured with {MEASURED.title} here."
)

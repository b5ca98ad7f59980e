"""What a URL without a driver means to a SQLAlchemy release, and what a worker's fork server preloads."""

import subprocess
import sys

import pytest
import sqlalchemy
from sqlalchemy.engine import make_url

from harness import drivers
from harness.postgres.server import Server
from harness.system.errors import PoolstartError


@pytest.mark.parametrize(
    ("release", "driver"),
    [
        ("1.4.54", drivers.PSYCOPG2),
        ("2.0.58", drivers.PSYCOPG2),
        ("2.1.0b1", drivers.PSYCOPG),
        ("2.1.0", drivers.PSYCOPG),
        ("2.2.0.dev0", drivers.PSYCOPG),
    ],
)
def test_a_url_without_a_driver_means_psycopg_3_from_2_1_on(release: str, driver: drivers.Driver) -> None:
    assert drivers.default_driver(release) == driver


def test_this_sqlalchemy_agrees() -> None:
    assert (
        make_url("postgresql://h/d").get_driver_name() == drivers.default_driver(sqlalchemy.__version__).name
    )


def test_an_upgrade_to_2_1_is_noted_and_one_within_a_series_is_not() -> None:
    assert "psycopg 3" in drivers.upgrade_note("2.0.58", "2.1.0")
    assert drivers.upgrade_note("2.1.0", "2.0.58") == drivers.upgrade_note("2.0.58", "2.1.0")
    assert drivers.upgrade_note("1.4.54", "2.0.58") == drivers.upgrade_note("2.1.0", "2.1.9") == ""


def test_a_driver_without_libpq_has_names_of_its_own_for_its_parameters() -> None:
    server = {"host": "h", "dbname": "d", "sslmode": "require"}
    found = drivers.ASYNCPG.url_parameters(server, "app")
    assert {name: found[name] for name in ("host", "dbname", "ssl")} == {
        "host": "h",
        "dbname": "d",
        "ssl": "require",
    }
    assert "sslmode" not in found


def test_a_parameter_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(PoolstartError, match="asyncpg does not know the parameter target_session_attrs"):
        drivers.ASYNCPG.url_parameters({"host": "h", "target_session_attrs": "any"}, "app")


CONNECTS = """
import importlib, sys
from sqlalchemy import create_engine, text
for name in sys.argv[2:]:
    importlib.import_module(name)
before = set(sys.modules)
with create_engine(sys.argv[1]).connect() as connection:
    connection.execute(text("select 1")).scalar()
added = [name for name in sys.modules if name not in before]
print(*(name for name in added if name.split(".")[0] in ("sqlalchemy", "psycopg2")))
"""


def test_after_the_preload_a_worker_imports_no_more_of_sqlalchemy_and_its_driver(server: Server) -> None:
    def imported(*preload: str) -> str:
        url = server.sqlalchemy_url("preload")
        return subprocess.run(
            [sys.executable, "-c", CONNECTS, url, *preload], capture_output=True, text=True, check=True
        ).stdout.strip()

    assert imported(*drivers.MEASURED.preload) == ""
    assert "psycopg2.extras" in imported(drivers.MEASURED.preload[0], "psycopg2")

"""PgBouncer is started as the server is: on a port of its own, supervised, and its errors are one line."""

from contextlib import ExitStack, closing

import psycopg2
import pytest

from harness.poolers import pgbouncer
from harness.poolers.recorder import PoolersRecorder
from harness.postgres import refusal
from harness.postgres.server import Server, describe
from harness.postgres.url import parameters, render
from harness.records.recorder import Request
from harness.system.errors import PoolstartError
from tests.support.poolers import needs_pgbouncer


@needs_pgbouncer
def test_it_serves_clients_and_ends_with_its_context(server: Server) -> None:
    with pgbouncer.started(server, "transaction") as through:
        assert through.identity == f"{server.identity}-pgbouncer-transaction"
        through.connect().close()
    with pytest.raises(PoolstartError, match="Connection refused"):
        through.connect()


@needs_pgbouncer
def test_one_that_does_not_start_says_why(server: Server) -> None:
    with (
        pytest.raises(PoolstartError, match=r"PgBouncer did not start: .*pool_mode"),
        pgbouncer.started(server, "nonsense"),
    ):
        pass


@pytest.mark.parametrize(
    ("program", "problem"), [("/nowhere/pgbouncer", "does not run"), ("/bin/echo", "echo is no PgBouncer")]
)
def test_without_it_one_line_says_how_to_get_it_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, program: str, problem: str
) -> None:
    monkeypatch.setenv(pgbouncer.PROGRAM, program)
    with pytest.raises(
        PoolstartError, match=f"{problem}; install the package pgbouncer, or set POOLSTART_PGBOUNCER"
    ):
        PoolersRecorder().prepare(Request("poolers"))


@needs_pgbouncer
@pytest.mark.parametrize(
    ("settings", "change", "problem", "remedy"),
    [
        ({"max_client_conn": "1"}, {}, "no more connections allowed", "raise PgBouncer's max_client_conn"),
        ({}, {"dbname": "nosuch"}, "bouncer config error", "name a database that PgBouncer has"),
        ({"auth_type": "md5"}, {}, "no password supplied", "give a password in the URL"),
        (
            {"auth_type": "md5"},
            {"password": "s3cret"},
            "authentication failed",
            "check the user and the pass",
        ),
        ({"auth_type": "hba"}, {}, "login rejected|no authentication", "allow this user .*auth_hba_file"),
        (
            {"default_pool_size": "1", "query_wait_timeout": "1"},
            {},
            "closed the connection",
            "see the log .*pooler in between: all its sessions may be in use",
        ),
    ],
    ids=["clients", "database", "no password", "wrong password", "rules", "sessions"],
)
def test_one_that_refuses_the_connection_is_one_line(
    server: Server, settings: dict[str, str], change: dict[str, str], problem: str, remedy: str
) -> None:
    with pgbouncer.started(server, "session", settings) as through, ExitStack() as clients:
        if settings and "auth_type" not in settings:
            other = clients.enter_context(closing(psycopg2.connect(through.url)))
            other.cursor().execute("select 1")
        url = render({**parameters(through.url), **change})
        with pytest.raises(PoolstartError, match=f"({problem}).*; {remedy}") as refused:
            describe("external", url)
    assert "\n" not in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_statement_of_another_client_has_a_remedy() -> None:
    printed = 'ProgrammingError: prepared statement "__asyncpg_stmt_1__" already exists'
    assert "max_prepared_statements" in refusal.remedy_in(printed)

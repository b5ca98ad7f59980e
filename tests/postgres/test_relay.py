"""The relay counts what any client sends, however it begins."""

import time
from dataclasses import replace

import psycopg2

from harness import drivers
from harness.postgres.relay import CONNECT, STATEMENT, Relay
from harness.postgres.server import Server
from harness.postgres.url import parameters, render


def test_the_statements_of_a_client_that_first_asks_for_encryption_are_counted(server: Server) -> None:
    with Relay(server) as relay:
        begun = time.monotonic_ns()
        # The server has no TLS and declines; then libpq goes on without.
        asking = render({**parameters(relay.server.url), "sslmode": "prefer", "gssencmode": "disable"})
        connection = psycopg2.connect(asking)
        connection.cursor().execute("select 1")
        connection.close()
        events = relay.between(begun, time.monotonic_ns())
    assert [event.kind for event in events].count(CONNECT) == 1
    assert [event.text for event in events if event.kind == STATEMENT] == ["BEGIN", "select 1"]


def test_a_driver_that_has_no_sslmode_is_not_given_one(server: Server) -> None:
    plain = replace(drivers.get("asyncpg"), renamed={})
    with Relay(server) as relay:
        assert "sslmode=disable" in relay.sqlalchemy_url("relay")
        assert "sslmode" not in relay.sqlalchemy_url("relay", plain)

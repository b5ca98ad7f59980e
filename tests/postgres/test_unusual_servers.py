"""Servers that are far away, full, or a standby: they are measured, or refused in one line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy

from harness.counts.count import count
from harness.lifecycles import plan
from harness.lifecycles.blocks import MeasuredRun
from harness.lifecycles.cell import Cell
from harness.lifecycles.profile import PROFILES
from harness.postgres import embedded, locate
from harness.postgres.relay import Relay
from harness.postgres.server import Server, describe
from harness.postgres.url import parse_url
from harness.processes.errors import NotApplicable
from harness.processes.supervision import Supervision
from harness.system.errors import PoolstartError

FAR = 0.03
"""Seconds of a round trip to a distant server."""

CELLS = [Cell("fork_dispose", "none"), Cell("nullpool", "none")]


def measure(server: Server) -> MeasuredRun:
    profile = replace(PROFILES["quick"], deadline=120)
    return plan.measure(CELLS, server, profile, release=sqlalchemy.__version__)


def test_a_server_at_a_distance_is_measured(server: Server) -> None:
    with Relay(server, FAR) as relay:
        measured = measure(describe("external", parse_url(relay.sqlalchemy_url("far"), locate.URL)))
    assert not measured.rejected
    # BEGIN, the query and ROLLBACK wait for the server; NullPool also connects.
    assert all(min(measured.samples(cell, "second_query")) > FAR for cell in CELLS)


@contextmanager
def started(monkeypatch: pytest.MonkeyPatch, **changes: str) -> Iterator[Server]:
    """An embedded server with other settings."""
    for name, value in changes.items():
        monkeypatch.setitem(embedded.SETTINGS, name, value)
    with Supervision() as supervision:
        yield embedded.start(supervision)


def test_a_server_with_too_few_sessions_is_refused_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        started(monkeypatch, max_connections="3", superuser_reserved_connections="0") as server,
        pytest.raises(
            PoolstartError, match=r"too many clients .*, after 3 of the 5 .*; end some of the server's"
        ),
    ):
        measure(server)


@pytest.fixture
def standby(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server in hot standby, which accepts no writing."""
    made: list[Path] = []
    directory, port = Supervision.directory, embedded.free_port

    def recorded(self: Supervision, **options: object) -> Path:
        made.append(directory(self, **options))  # type: ignore[arg-type]
        return made[-1]

    def signalled() -> int:
        # Asked for when everything is prepared.
        (made[0] / "data" / "standby.signal").touch()
        return port()

    monkeypatch.setattr(Supervision, "directory", recorded)
    monkeypatch.setattr(embedded, "free_port", signalled)
    with Supervision() as supervision:
        yield embedded.start(supervision)


def test_a_standby_is_measured(standby: Server) -> None:
    with standby.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select pg_is_in_recovery()")
        assert cursor.fetchall() == [(True,)]
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            cursor.execute("create table t ()")
    measured = measure(describe("external", standby.url))
    assert not measured.rejected
    assert all(measured.samples(cell, "first_query") for cell in CELLS)


def test_counts_over_tls_are_refused() -> None:
    with Supervision() as supervision:
        try:
            encrypted = embedded.start(supervision, tls=True)
        except embedded.NoTLS as reason:
            if os.environ.get("POOLSTART_REQUIRE_TLS") == "1":
                raise
            pytest.skip(reason.problem)
        with pytest.raises(NotApplicable, match="encrypted traffic cannot be counted"):
            count("spawn", encrypted, release=sqlalchemy.__version__)

"""A pooler between the client and the server is recognised, and times are measured through it."""

from contextlib import ExitStack, closing
from dataclasses import replace

import psycopg2
import pytest
import sqlalchemy

from harness import strategies
from harness.counts import run as counts
from harness.hazards import asv_run
from harness.lifecycles import plan
from harness.lifecycles.cell import Cell
from harness.lifecycles.profile import PROFILES
from harness.postgres import locate
from harness.postgres.server import Server, describe
from harness.system.errors import PoolstartError
from tests.support.poolers import MODES, needs_pgbouncer, pgbouncer

pytestmark = needs_pgbouncer


@pytest.mark.parametrize("mode", MODES)
def test_pgbouncer_and_its_mode_are_recognised(server: Server, mode: str) -> None:
    with pgbouncer(server, mode) as url:
        assert describe("external", url).pooler == f"pgbouncer-{mode}"


def test_a_pooler_that_hands_out_its_sessions_in_turns_is_in_transaction_mode(server: Server) -> None:
    with pgbouncer(server, "transaction", server_round_robin="1") as url, ExitStack() as clients:
        # Three sessions: of two, each of two clients in turns would always get the same one.
        opened = [clients.enter_context(closing(psycopg2.connect(url))) for _ in range(3)]
        for connection in opened:
            connection.cursor().execute("select 1")
        for connection in opened:
            connection.rollback()
        assert describe("external", url).pooler == "pgbouncer-transaction"


def test_without_the_refusal_that_only_pgbouncer_gives_it_is_some_pooler(server: Server) -> None:
    with pgbouncer(server, "session", ignore_startup_parameters="options") as url:
        assert describe("external", url).pooler == "pooler-session"


def test_a_pooler_with_one_session_for_all_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.postgres.pooler.ANSWER_DEADLINE", 0.2)
    with (
        pgbouncer(server, "session", default_pool_size="1") as url,
        pytest.raises(
            PoolstartError, match=r"gives a second client no session .*; raise its default_pool_size"
        ),
    ):
        describe("external", url)


def test_a_server_without_a_pooler_has_none(server: Server) -> None:
    assert describe("external", server.url).pooler == ""


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_every_strategy_is_measured_through_it(server: Server, mode: str) -> None:
    cells = [Cell(name, "none") for name in strategies.IDS]
    profile = replace(PROFILES["quick"], deadline=120)
    with pgbouncer(server, mode) as url:
        through = describe("external", url)
        measured = plan.measure(cells, through, profile, release=sqlalchemy.__version__)
    assert not measured.rejected
    assert all(measured.samples(cell, "time_to_first_row") for cell in cells)
    assert measured.warnings == [
        f"the server is reached through PgBouncer in {mode} mode; which session a worker used, and whether"
        " one is left, was not checked"
    ]


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_what_needs_the_server_itself_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    with pgbouncer(server, mode) as url:
        monkeypatch.setenv(locate.URL, url)
        with (
            pytest.raises(
                PoolstartError, match=rf"PgBouncer in {mode} mode, .* set POOLSTART_URL to the server"
            ),
            locate.server(),
        ):
            pass
        assert asv_run.of_this_run() == {}
        counted = counts.of_this_run()
    assert not counted.rejected
    assert counted.not_applicable.keys() == set(strategies.IDS)


def test_in_statement_mode_nothing_can_be_measured(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pgbouncer(server, "statement") as url:
        monkeypatch.setenv(locate.URL, url)
        with (
            pytest.raises(
                PoolstartError, match=r"PgBouncer in statement mode, .*; set its pool_mode to session"
            ),
            locate.server(pooler=True),
        ):
            pass

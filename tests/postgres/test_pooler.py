"""A pooler between the client and the server is recognised, with its mode."""

import pytest

from harness.postgres.server import Server, describe
from harness.system.errors import PoolstartError
from tests.support.poolers import MODES, needs_pgbouncer, pgbouncer

pytestmark = needs_pgbouncer


@pytest.mark.parametrize("mode", MODES)
def test_pgbouncer_and_its_mode_are_recognised(server: Server, mode: str) -> None:
    with pgbouncer(server, mode) as url:
        assert describe("external", url).pooler == f"pgbouncer-{mode}"


def test_a_pooler_that_hands_out_its_sessions_in_turns_is_in_transaction_mode(server: Server) -> None:
    with pgbouncer(server, "transaction", server_round_robin="1", min_pool_size="3") as url:
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

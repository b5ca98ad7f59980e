"""Which server is meant."""

from collections.abc import Iterator

import pytest

from harness.postgres import locate
from harness.postgres.server import Server, describe
from tests.support.servers import server_with_password, with_password


@pytest.fixture(scope="module")
def password() -> Iterator[Server]:
    with server_with_password("secret") as server:
        yield server


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg2", "postgres"])
def test_a_url_wins(server: Server, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv(locate.KIND, "embedded")
    monkeypatch.setenv(locate.URL, server.url.replace("postgresql:", f"{scheme}:"))
    assert locate.running() == describe("external", server.url)


def test_the_server_of_the_run_goes_before_everything(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(locate.RUN, server.to_json())
    monkeypatch.setenv(locate.URL, "postgresql://127.0.0.1:1/nowhere")
    with locate.server() as found:
        assert found == server


def test_without_wishes_a_server_is_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(locate.KIND, "embedded")
    with locate.server() as found:
        assert found.kind == "embedded"
        assert found.identity == locate.identity()


def test_authentication_is_what_the_server_says(password: Server) -> None:
    assert describe("external", with_password(password, "secret")).authentication == "scram-sha-256"
    assert describe("external", password.url).authentication == "trust"

"""Which server is meant, and what a user reads who named it wrongly."""

from collections.abc import Iterator

import pytest

from harness.postgres import locate
from harness.postgres.server import Server, describe
from harness.postgres.url import parse_url
from harness.system.errors import PoolstartError
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


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("nonsense", "POOLSTART_URL is not a database URL; write it as postgresql\\+psycopg2://"),
        ("mysql://u:secret@h/d", "POOLSTART_URL names 'mysql', but poolstart measures PostgreSQL only"),
        (
            "postgresql+psycopg://u:secret@127.0.0.1:1/d",
            r"names the driver 'psycopg', but psycopg2 is measured; set POOLSTART_DRIVER=psycopg, or name no",
        ),
        ("postgresql://u:secret@127.0.0.1:1/d", "no connection to .*; check that the server runs"),
        ("postgresql://u:secret@no.such.host.invalid/d", "no connection to .*; check the host"),
    ],
)
def test_a_url_that_leads_nowhere_is_one_line(monkeypatch: pytest.MonkeyPatch, url: str, line: str) -> None:
    monkeypatch.setenv(locate.URL, url)
    with pytest.raises(PoolstartError, match=line) as caught:
        locate.running()
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_password_is_one_line_without_the_password(password: Server) -> None:
    with pytest.raises(
        PoolstartError, match=r"authentication failed.*check the user and the password"
    ) as caught:
        describe("external", parse_url(with_password(password, "wrong-secret"), locate.URL))
    assert "wrong-secret" not in str(caught.value)

"""Results of two servers are one series only if nothing between them changes a figure."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg2
import pytest

from harness.postgres import embedded, identity, locate
from harness.postgres.relay import Relay
from harness.postgres.server import Server, describe
from harness.processes.supervision import Supervision
from harness.system.errors import PoolstartError
from tests.support.poolers import needs_pgbouncer, pgbouncer


@pytest.fixture(scope="module")
def another() -> Iterator[Server]:
    with Supervision() as supervision:
        yield embedded.start(supervision)


def external(url: str, name: str = "") -> str:
    return describe("external", url, name).identity


def test_two_servers_of_one_version_are_two_series(server: Server, another: Server) -> None:
    assert server.identity == another.identity == embedded.identity()
    assert external(server.url) == external(server.url) != external(another.url)


def test_a_server_far_away_is_another_series(server: Server) -> None:
    here = external(server.url)
    for seconds, name in ((0.105, "100ms"), (0.035, "30ms")):
        with Relay(server, seconds) as relay:
            assert external(relay.server.url) == f"{here}-{name}"


@needs_pgbouncer
@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_pooler_in_between_is_another_series(server: Server, mode: str) -> None:
    with pgbouncer(server, mode) as url:
        through = describe("external", url)
    assert through.cluster == describe("external", server.url).cluster
    assert through.identity.endswith(f"-{through.cluster}-pgbouncer-{mode}")


class Refusing:
    """A connection of a role that may not read the system identifier."""

    def __enter__(self) -> "Refusing":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def cursor(self) -> "Refusing":
        return self

    def execute(self, statement: str) -> None:
        raise psycopg2.errors.lookup("42501")("permission denied for function pg_control_system")


def test_a_server_that_hides_its_identifier_is_distinguished_by_its_address() -> None:
    first, second = (identity.cluster(Refusing(), f"postgresql://u:secret@{host}/d") for host in "ab")  # type: ignore[arg-type]
    assert first != second
    assert first == identity.cluster(Refusing(), "postgresql://other@a:5432/e")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [(0.05, ""), (0.99, ""), (1, "1ms"), (2.9, "1ms"), (35, "30ms"), (100.2, "100ms"), (5000, "1000ms")],
)
def test_round_trips_are_told_apart_by_classes(milliseconds: float, expected: str) -> None:
    assert identity.class_of(milliseconds / 1000) == expected


def test_a_name_stands_for_data_and_distance(
    server: Server, another: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A standby, or a server whose distance is at the border of two classes, can be one series."""
    monkeypatch.setenv(identity.NAME, "production")
    names = set()
    for url in (server.url, another.url):
        monkeypatch.setenv(locate.URL, url)
        found = locate.running()
        names.add(found.identity)
    assert names == {embedded.identity().replace("embedded", "external") + "-production"}


@pytest.mark.parametrize("name", ["my server", "-x", "x" * 41])
def test_a_name_that_cannot_be_part_of_a_series_is_refused(
    name: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(locate.URL, server.url)
    monkeypatch.setenv(identity.NAME, name)
    with pytest.raises(
        PoolstartError, match=r"POOLSTART_SERVER_NAME=.* is no name; use up to 40 small letters"
    ):
        locate.running()


def test_the_names_of_embedded_and_container_series_have_not_changed(server: Server) -> None:
    assert server.identity == "embedded-18.4-tcp-trust"
    container = replace(server, kind="container", version="17.12", authentication="scram-sha-256")
    assert container.identity == "container-17.12-tcp-scram-sha-256"
    assert describe("container", server.url).identity == "container-18.4-tcp-trust"

"""What breaks behind PgBouncer, tried with real clients of the driver that is installed here."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from harness import drivers
from harness.poolers import figures, things, tries
from harness.poolers.inside import world as inside_world
from harness.poolers.inside.forks import committed
from harness.poolers.inside.world import World, engine_arguments, key
from harness.poolers.things import DIRECT, SESSION, TRANSACTION, WORKS
from harness.poolers.tries import Dialogue
from harness.postgres.server import Server
from tests.support.poolers import needs_pgbouncer

DRIVER = drivers.PSYCOPG2

THINGS = {thing.id: thing for thing in things.THINGS}


@pytest.fixture(scope="module")
def program(server: Server) -> Iterator[Dialogue]:
    tries.prepare(server)
    with tries.trying(Path(sys.executable), DRIVER) as trials:
        yield trials


def outcome(program: Dialogue, server: Server, thing: str, way: str, route: str, pool: str) -> str:
    found = THINGS[thing]
    (chosen,) = [each for each in found.ways if each.id == way]
    return tries.try_way(program, server, DRIVER, found, chosen, route, pool)


@needs_pgbouncer
@pytest.mark.parametrize("thing", ["set", "lock", "listen", "temporary", "named"])
def test_a_session_keeps_it_for_a_pooled_connection(program: Dialogue, server: Server, thing: str) -> None:
    assert outcome(program, server, thing, THINGS[thing].ways[0].id, SESSION, "QueuePool") == WORKS


@needs_pgbouncer
@pytest.mark.parametrize(
    ("thing", "way", "breaks"),
    [
        ("set", "usual", "reaches another client and is lost"),
        ("set", "reset", "is lost"),
        ("set", "begin", WORKS),
        ("lock", "usual", "two clients hold it"),
        ("lock", "transaction", WORKS),
        ("listen", "usual", "no notification arrives"),
        ("temporary", "usual", "reaches another client and is lost"),
        ("temporary", "on_commit", WORKS),
        ("named", "usual", 'prepared statement "chosen" already exists'),
        ("named", "within", WORKS),
        ("search_path", "begin", WORKS),
        ("search_path", "ignored", "is lost"),
        ("backend", "usual", "two clients report the same backend"),
    ],
)
def test_in_transaction_mode_it_breaks_or_a_way_fixes_it(
    program: Dialogue, server: Server, thing: str, way: str, breaks: str
) -> None:
    assert outcome(program, server, thing, way, TRANSACTION, "QueuePool") == breaks


ENDED = "the parent's next query fails (server closed the connection unexpectedly)"


@needs_pgbouncer
@pytest.mark.parametrize(
    ("thing", "way", "route", "breaks"),
    [
        ("fork", "used", TRANSACTION, "the parent's commit succeeds, and its row is lost"),
        ("fork", "disposed", TRANSACTION, ENDED),
        ("fork", "dropped", TRANSACTION, WORKS),
        ("fork", "dropped", SESSION, WORKS),
        ("orphan", "kept", SESSION, "the next client waits for its session"),
        ("orphan", "closed", SESSION, WORKS),
        ("orphan", "kept", TRANSACTION, WORKS),
    ],
)
def test_an_inherited_connection_to_a_pooler_is_shared_and_held_by_a_worker_that_outlives_its_parent(
    program: Dialogue, server: Server, thing: str, way: str, route: str, breaks: str
) -> None:
    assert outcome(program, server, thing, way, route, "QueuePool") == breaks


def test_a_transaction_that_is_still_open_differs_from_one_that_lost_its_row(
    program: Dialogue, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside_world, "DEADLINE", 0.1)
    order: Any = {"direct": server.url}
    with closing(psycopg2.connect(server.url)) as connection, connection.cursor() as cursor:
        cursor.execute("insert into app.kept values (%s)", [token := key()])
        backend = connection.info.backend_pid
        assert committed(World(order, DRIVER), token, backend).endswith("stays open")
        connection.rollback()
        assert committed(World(order, DRIVER), token, backend).endswith("row is lost")


def test_arguments_of_the_connection_are_put_together() -> None:
    given = ['connect_args={"a": 1}', "", 'connect_args={"b": 2}, pool_size=3']
    assert engine_arguments(given) == {"connect_args": {"a": 1, "b": 2}, "pool_size": 3}


def test_every_combination_is_on_record_and_its_repetitions_agree() -> None:
    record = figures.load()
    for version, tried in record.trials.items():
        for driver in things.MEASURED:
            for thing, way, route, pool in tries.combinations(driver):
                row = tried.find(thing.id, way.id, route, pool, driver.name)
                assert row, (version, thing.id, way.id, route, pool, driver.name)
                there = not way.not_applicable(version) or route == DIRECT
                assert list(row.outcomes.values()) == ([tried.repeats] if there else []), row


def test_ways_are_versions_of_pgbouncer() -> None:
    (way,) = [way for way in THINGS["numbered"].ways if way.id == "on"]
    assert way.not_applicable("1.18.0") == "PgBouncer 1.21 or later has it"
    assert way.not_applicable("1.21.0") == way.not_applicable("1.26.1") == ""

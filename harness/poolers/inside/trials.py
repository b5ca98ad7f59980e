"""Trials of what a session keeps: two clients take turns on purpose, so that no outcome depends on luck.

Through a pooler in transaction mode the second client gets the session that the first one has just left;
while the second one holds it, the first gets another.
"""

from contextlib import closing
from typing import Any

import psycopg2

from harness.poolers.inside.client import Client
from harness.poolers.inside.world import WORKS, World, key, wait_for

SHARED, LOST = "reaches another client", "is lost"

SAME = "select 1 as same"

OFTEN = 8
"""Executions of a statement, after which psycopg 3 has prepared it."""

TURNS = 20
"""Queries of a client that waits for a notification which the server has sent."""


def words(*, shared: object, lost: object) -> str:
    """The outcome of a trial with two questions."""
    return " and ".join([*([SHARED] if shared else []), *([LOST] if lost else [])]) or WORKS


def backend(world: World) -> str:
    """Each connection has a backend of its own."""
    first, second = world.client(), world.client()
    pids = [client.transaction("select pg_backend_pid()")[0][0] for client in (first, second)]
    return WORKS if pids[0] != pids[1] else "two clients report the same backend"


def prepared_by_the_driver(world: World) -> str:
    """Both clients execute the same statement often enough to have it prepared, the first in two sessions."""
    first, second = world.client(), world.client()
    for client in (first, second, first):
        client.transaction(*[SAME] * OFTEN)
    own_and_others(first, second, SAME)
    return WORKS


def prepared_by_name(world: World) -> str:
    first, second = world.client(), world.client()
    for client, number in ((first, 1), (second, 2)):
        client.transaction(f"prepare chosen as select {number}")
    for client, number in ((first, 1), (second, 2)):
        if client.transaction("execute chosen") != [[number]]:
            return SHARED
    return WORKS


def prepared_within(world: World) -> str:
    for number in (1, 2):
        prepared = f"prepare chosen as select {number}"
        if world.client().transaction(prepared, "execute chosen", "deallocate chosen") != [[number]]:
            return SHARED
    return WORKS


def own_and_others(first: Client, second: Client, statement: str) -> tuple[Any, Any]:
    """What a statement returns to the second client, and then to the first in another session."""
    ((others,),) = second.transaction(statement)
    second.check_out()
    second.execute("select 1")
    ((own,),) = first.transaction(statement)
    second.check_in()
    return own, others


SHOW = "show statement_timeout"

SECONDS = "7s"


def kept(first: Client, second: Client, question: str, value: object) -> str:
    """The outcome of a setting that the first client has made."""
    ((before,),) = first.transaction(question)
    own, others = own_and_others(first, second, question)
    return words(shared=others == value, lost=before != value or own != value)


def setting(world: World) -> str:
    first, second = world.client(), world.client()
    first.transaction("set statement_timeout = 7000")
    return kept(first, second, SHOW, SECONDS)


def local_setting(world: World) -> str:
    first, second = world.client(), world.client()
    rows = first.transaction("set local statement_timeout = 7000", SHOW)
    _, others = own_and_others(first, second, SHOW)
    return words(shared=others == SECONDS, lost=rows != [[SECONDS]])


def setting_at_begin(world: World) -> str:
    first, second = world.client(), world.client()
    first.execute_at("begin", "set local statement_timeout = 7000")
    return kept(first, second, SHOW, SECONDS)


PATH = "select current_schemas(false)::text"

APP = "{app}"


def search_path(world: World) -> str:
    """The first client sets it, the second one has no such setting."""
    first = world.client()
    world.order["engine"] = world.order["engine"][:-1]
    return kept(first, world.client(), PATH, APP)


def search_path_at_connect(world: World) -> str:
    first, second = world.client(), world.client()
    first.execute_at("connect", "set search_path to app")
    return kept(first, second, PATH, APP)


def search_path_at_begin(world: World) -> str:
    first, second = world.client(), world.client()
    first.execute_at("begin", "set local search_path to app")
    return kept(first, second, PATH, APP)


BOTH = "two clients hold it"


def lock(world: World) -> str:
    first, second, number = world.client(), world.client(), key()
    first.transaction(f"select pg_advisory_lock({number})")
    ((got,),) = second.transaction(f"select pg_try_advisory_lock({number})")
    return BOTH if got else WORKS


def lock_in_transaction(world: World) -> str:
    first, second, number = world.client(), world.client(), key()
    first.check_out()
    first.execute(f"select pg_advisory_xact_lock({number})")
    ((got,),) = second.transaction(f"select pg_try_advisory_xact_lock({number})")
    first.check_in()
    return BOTH if got else WORKS


def listen(world: World) -> str:
    """The first client listens on a connection that it keeps, and the second one notifies."""
    first, second = world.client(), world.client()
    with closing(psycopg2.connect(world.order["direct"])) as observer:
        observer.autocommit = True
        with observer.cursor() as cursor:
            cursor.execute("listen news")
            first.check_out()
            first.listen("news")
            second.transaction("notify news")

            def sent() -> bool:
                observer.poll()
                return bool(observer.notifies)

            wait_for(sent)
            # The server has sent it to all sessions that listen.
            heard = any(first.heard() for _ in range(TURNS))
    return WORKS if heard else "no notification arrives"


TABLE = "select to_regclass('mine') is not null"


def temporary_table(world: World) -> str:
    first, second = world.client(), world.client()
    first.transaction("create temporary table mine as select 1 as x")
    return kept(first, second, TABLE, True)


def temporary_table_in_transaction(world: World) -> str:
    first, second = world.client(), world.client()
    rows = first.transaction("create temporary table mine on commit drop as select 1 as x", TABLE)
    return words(shared=second.transaction(TABLE) == [[True]], lost=rows != [[True]])


CLIENTS = 8


def sessions(world: World) -> str:
    """The sessions that clients keep after one query each, and those that they use at the same time."""
    before = count(world)
    clients = [world.client() for _ in range(CLIENTS)]
    for client in clients:
        client.transaction("select 1")
    idle = count(world) - before
    for client in clients:
        client.check_out()
        client.execute("select 1")
    return f"{idle} {count(world) - before}"


def count(world: World) -> int:
    """The sessions of the server, as soon as their number stays the same: they take a moment to end."""
    seen: list[int] = []

    def settled() -> bool:
        seen.append(len(world.on_server(SESSIONS)))
        return len(seen) >= 3 and len(set(seen[-3:])) == 1

    wait_for(settled, pause=0.05)
    return seen[-1]


SESSIONS = (
    "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
)

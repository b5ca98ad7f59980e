"""What a trial has: clients, and the server itself."""

import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2

from harness import drivers
from harness.poolers.inside.client import DEADLINE, Client, Steps

if TYPE_CHECKING:
    from harness.poolers.messages import PoolerTrialOrder

WORKS = "works"


class World:
    """What a trial has: clients, and the server itself."""

    def __init__(self, order: "PoolerTrialOrder", driver: drivers.Driver) -> None:
        self.order, self.driver = order, driver
        self.clients: list[Client] = []

    def client(self) -> Client:
        """A new client, which has not connected yet."""

        def make() -> Steps:
            arguments = engine_arguments(self.order["engine"])
            return Steps(self.driver, self.order["url"], self.order["pool"], arguments)

        self.clients.append(Client(make))
        return self.clients[-1]

    def on_server(self, statement: str) -> list[Any]:
        """The rows of a query, executed on the server itself."""
        with closing(psycopg2.connect(self.order["direct"])) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                rows: list[Any] = cursor.fetchall()
                return rows


def engine_arguments(code: Iterable[str]) -> dict[str, Any]:
    """Several arguments of create_engine, as in code, whose `connect_args` are put together."""
    arguments: dict[str, Any] = {}
    for text in code:
        given = eval(f"dict({text})", {"uuid": uuid})
        connect_args = {**arguments.get("connect_args", {}), **given.get("connect_args", {})}
        arguments |= {**given, "connect_args": connect_args}
    return arguments


def wait_for(condition: Callable[[], object], pause: float = 0.005) -> None:
    """Wait until an event has happened. Raises TimeoutError if it does not in time."""
    until = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"what a trial waits for did not happen in {DEADLINE:g} s")
        time.sleep(pause)


def key() -> int:
    """A number that no other trial uses."""
    return uuid.uuid4().int >> 66

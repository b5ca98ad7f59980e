"""Runs the trials of the catalogue, each behind a PgBouncer of its own."""

import json
import select
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.drivers import Driver
from harness.poolers import pgbouncer, things
from harness.poolers.figures import PoolerOutcome
from harness.poolers.messages import PoolerTrialOrder, PoolerTrialReport
from harness.poolers.things import Thing, Way
from harness.postgres.server import Server
from harness.postgres.url import hide, parameters, render
from harness.processes.child import Child
from harness.processes.errors import ProcessFailed, ProcessHung
from harness.processes.supervision import Supervision
from harness.records.session import Parts

PROGRAM = "harness.poolers.inside.program"

DEADLINE = 120.0
"""Seconds for a trial, each of whose steps has a deadline of its own."""

SCHEMA = (
    "create schema if not exists app",
    "create table if not exists app.kept (token numeric)",
)
"""What trials need on the server."""


class Dialogue:
    """A program that answers each line with one, as long as the context lasts."""

    def __init__(self, python: Path, module: str, what: str) -> None:
        self._what = what
        self._supervision = Supervision()
        self._child = Child(
            self._supervision,
            [python, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Dialogue":
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close()
        self._supervision.close()

    def say(self, line: str) -> None:
        """Send a line that has no answer. Raises `ProcessFailed` if the program has ended."""
        stdin = self._child.process.stdin
        assert stdin
        try:
            stdin.write(f"{line}\n")
            stdin.flush()
        except BrokenPipeError:
            raise ProcessFailed(f"{self._what} failed: {self._child.last_error()}") from None

    def answer(self) -> Any:
        """The next answer. Raises `ProcessHung` without one in time, and `ProcessFailed` at its end."""
        stdout = self._child.process.stdout
        assert stdout
        if not select.select([stdout], [], [], DEADLINE)[0]:
            raise ProcessHung(f"{self._what} hung: no answer in {DEADLINE:g} s, so it was killed")
        if not (line := stdout.readline()):
            raise ProcessFailed(f"{self._what} failed: {self._child.last_error()}")
        return json.loads(line)

    def ask(self, order: Mapping[str, Any]) -> Any:
        """The answer to an order."""
        self.say(json.dumps(order))
        return self.answer()


@contextmanager
def trying(python: Path, driver: Driver) -> Iterator[Dialogue]:
    """The program of trials with a driver, which this interpreter imports."""
    with Dialogue(python, PROGRAM, f"the trials with {driver.name}") as program:
        program.say(driver.name)
        yield program


def prepare(server: Server) -> None:
    """Create what trials need on the server."""
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        for statement in SCHEMA:
            cursor.execute(statement)


def try_way(
    program: Dialogue, server: Server, driver: Driver, thing: Thing, way: Way, route: str, pool: str
) -> str:
    """The outcome of one trial, in words."""
    common = "" if thing.prepared else things.common(driver, route)
    engine = [common, way.engine.get(driver.name, "")]
    return ask(program, server, driver, way.trial, route, pool, engine, way.settings, way.database)


def ask(
    program: Dialogue,
    server: Server,
    driver: Driver,
    trial: str,
    route: str,
    pool: str,
    engine: list[str],
    settings: Mapping[str, str] = MappingProxyType({}),
    database: str = "",
) -> str:
    """The outcome of a trial over a route; `settings` and `database` are those of PgBouncer."""
    with routed(server, route, settings, database) as (through, console):
        order: PoolerTrialOrder = {
            "trial": trial,
            "url": through.sqlalchemy_url("poolstart-trial", driver),
            "direct": server.url,
            "console": console,
            "pool": pool,
            "engine": engine,
        }
        report: PoolerTrialReport = program.ask(order)
    return hide(report["outcome"], through.url)


@contextmanager
def routed(
    server: Server, route: str, settings: Mapping[str, str], database: str = ""
) -> Iterator[tuple[Server, str]]:
    """The server over a route, and the URL of PgBouncer's console; empty without one."""
    if route == things.DIRECT:
        yield server, ""
        return
    with pgbouncer.started(server, route, settings, database=database) as pooler:
        console = render({**parameters(pooler.server.url), "dbname": pgbouncer.ADMIN})
        yield pooler.server, console


def try_all(
    pythons: Mapping[Driver, Path],
    server: Server,
    repeats: int,
    parts: Parts,
    report: Callable[[str], None] = lambda step: None,
    chosen: tuple[Thing, ...] = things.THINGS,
) -> list[PoolerOutcome]:
    """All trials with these drivers, less what is among `parts`, in which each outcome is kept.

    Raises `Rejected` if a program hangs or fails, and `PoolstartError` without a PgBouncer.
    """
    version = pgbouncer.version()
    prepare(server)
    rows = []
    for driver, python in pythons.items():
        with trying(python, driver) as program:
            for thing, way, route, pool in combinations(driver, chosen):
                key = " ".join((thing.id, way.id, route, pool, driver.name))
                if key not in parts.parts:
                    outcomes: dict[str, int] = {}
                    for number in range(0 if way.not_applicable(version) else repeats):
                        report(f"{driver.name}: {thing.title}, {route}, {pool}, {number + 1} of {repeats}")
                        outcome = try_way(program, server, driver, thing, way, route, pool)
                        outcomes[outcome] = outcomes.get(outcome, 0) + 1
                    parts.add(key, outcomes)
                rows.append(PoolerOutcome(thing.id, way.id, route, pool, driver.name, parts.parts[key]))
    return rows


def combinations(driver: Driver, chosen: tuple[Thing, ...]) -> Iterator[tuple[Thing, Way, str, str]]:
    """What is tried with a driver."""
    for thing in chosen:
        for route in things.ROUTES:
            for way in thing.tried(route):
                for pool in thing.pools:
                    if driver in way.drivers:
                        yield thing, way, route, pool

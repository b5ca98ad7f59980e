"""Runs the trials of the catalogue, each behind a PgBouncer of its own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType

from harness.drivers import Driver
from harness.poolers import pgbouncer, things
from harness.poolers.figures import PoolerOutcome
from harness.poolers.messages import PoolerTrialOrder
from harness.poolers.things import Thing, Way
from harness.postgres.server import Server
from harness.postgres.url import hide
from harness.processes.dialogue import Dialogue
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


@contextmanager
def trying(python: Path, driver: Driver) -> Iterator[Dialogue]:
    """The program of trials with a driver, which this interpreter imports."""
    what = f"the trials with {driver.name}"
    with Supervision() as supervision, Dialogue(supervision, [python, "-m", PROGRAM], what) as program:
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
    return ask(program, server, driver, way.trial, route, pool, engine, way.settings)


def ask(
    program: Dialogue,
    server: Server,
    driver: Driver,
    trial: str,
    route: str,
    pool: str,
    engine: list[str],
    settings: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The outcome of a trial over a route; `settings` are those of PgBouncer."""
    with routed(server, route, settings) as through:
        order: PoolerTrialOrder = {
            "trial": trial,
            "url": through.sqlalchemy_url("poolstart-trial", driver),
            "direct": server.url,
            "pool": pool,
            "engine": engine,
        }
        return hide(program.ask(order, DEADLINE), through.url)


def routed(
    server: Server, route: str, settings: Mapping[str, str] = MappingProxyType({})
) -> AbstractContextManager[Server]:
    """The server over a route."""
    if route == things.DIRECT:
        return nullcontext(server)
    return pgbouncer.started(server, route, settings)


def try_all(
    pythons: Mapping[Driver, Path],
    server: Server,
    repeats: int,
    parts: Parts,
    report: Callable[[str], None],
) -> list[PoolerOutcome]:
    """All trials with these drivers, less what is among `parts`, in which each outcome is kept.

    Raises `Rejected` if a program hangs or fails, and `PoolstartError` without a PgBouncer.
    """
    version = pgbouncer.version()
    prepare(server)
    rows = []
    for driver, python in pythons.items():
        with trying(python, driver) as program:
            for thing, way, route, pool in combinations(driver):
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


def combinations(driver: Driver) -> Iterator[tuple[Thing, Way, str, str]]:
    """What is tried with a driver."""
    for thing in things.THINGS:
        for route in things.ROUTES:
            for way in thing.tried(route):
                for pool in thing.pools:
                    if driver in way.drivers:
                        yield thing, way, route, pool

"""Every process has a pool of its own, and the server counts the connections of all of them."""

from contextlib import ExitStack, closing
from typing import Any

from harness.fixes import ONE_ENGINE
from harness.hazards.conditions import SPARE_SESSIONS
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Failed
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.worker import Worker

PROGRAM = "poolstart-program"
"""The application name of the sessions of the program under test."""

LEFT = 5
"""Connections that the server has left for this program; the rest is in use."""

SLOTS = """
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true), '0')::int
"""
"""The number of sessions that the server allows ordinary roles, over all databases."""

WORKERS = 3
BURST = 3
"""Connections that each worker needs at once, for a moment."""


def burst(engine: Engine, connections: int) -> int:
    """Use several connections at once, return them, and count those that the pool keeps open."""
    taken: list[Any] = [engine.raw_connection() for _ in range(connections)]
    drivers = [connection.cursor().connection for connection in taken]
    for connection in taken:
        connection.close()
    return sum(not driver.closed for driver in drivers)


def work(worker: Worker, connections: int) -> None:
    engine = worker.engine()
    worker.report(burst(engine, connections))
    worker.wait()


def reproduce(parent: Parent) -> bool:
    # With one connection each, parent and workers together need fewer than are left.
    connections = 1 if parent.keeps_condition else BURST
    # The sessions of the previous trial may still be ending.
    parent.wait_for(lambda: sessions(parent) <= 1, "the end of all other sessions")
    with ExitStack() as others:
        taken = int(parent.ask(SLOTS)) - LEFT
        for _ in range(taken - 1):
            others.enter_context(closing(parent.server.connect("others")))
        parent.tell("server", f"Has {LEFT} sessions left; {taken} are in use by others.")
        parent.url = parent.server.sqlalchemy_url(PROGRAM)
        return refused(parent, connections)


def sessions(parent: Parent, condition: str = "true") -> int:
    return int(
        parent.ask(
            f"select count(*) from pg_stat_activity where backend_type = 'client backend' and {condition}"
        )
    )


def refused(parent: Parent, connections: int) -> bool:
    """Whether a worker that uses so many connections at once is refused one."""
    own = f"application_name = '{PROGRAM}'"
    engine = parent.engine()
    kept = [0 if parent.warm(engine).closed else 1]
    parent.tell("parent", f"Starts {WORKERS} workers, one after another.")
    for number in range(1, WORKERS + 1):
        worker = parent.start(work, connections, engine=engine)
        try:
            kept.append(worker.answer())
        except Failed as error:
            if not any(message.removeprefix("FATAL:  ") in str(error) for message in HAZARD.messages):
                raise
            active = sessions(parent, f"{own} and state = 'active'")
            parent.tell("server", f"Has {sessions(parent, own)} sessions of this program, {active} active.")
            parent.tell("worker", f"Number {number} needs {connections} connections for a moment.")
            parent.tell("user", str(error))
            return True
        parent.tell(
            "worker",
            f"Number {number} has used {connections} connections at once; its pool keeps {kept[-1]}.",
        )
        # A closed session is listed until its backend has ended.
        parent.wait_for(
            lambda: sessions(parent, own) <= sum(kept), "the end of the sessions that no pool keeps"
        )
    parent.tell("server", f"Has {sessions(parent, own)} sessions of this program.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="max_connections",
    title="Too many clients: every worker has a pool",
    description=(
        "A pool limits the connections of one process. Every worker adds another pool, and each keeps up to"
        " pool_size connections open once it has needed them, idle or not. The server counts them all:"
        " sixteen workers with SQLAlchemy's default pool size of 5 and overflow of 10 may want 240 sessions"
        " of a server that has 100, and the process that comes last is refused."
    ),
    symptom=(
        "sorry, too many clients already. After workers or a second instance were added, on a server that"
        " does next to nothing."
    ),
    affected_when="A worker is refused a connection while all sessions are idle.",
    avoidance=(
        "Make one engine for each process, never in a task: an engine that is thrown away keeps its"
        " connections until the garbage collector runs, whatever its pool_size. Then keep workers x"
        " (pool_size + max_overflow) below the limit: a worker that does one thing at a time needs"
        " pool_size=1, max_overflow=0. Or use NullPool, which may also be made in a task, or a pooler such"
        " as PgBouncer (in transaction mode see pooler_session)."
    ),
    fixes=(ONE_ENGINE,),
    severity=Severity.LOUD_ERROR,
    messages=(
        "FATAL:  sorry, too many clients already",
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
    ),
    links=(
        "https://github.com/IBM/mcp-context-forge/pull/4696",
        "https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-MAX-CONNECTIONS",
        "https://docs.sqlalchemy.org/en/20/core/pooling.html#sqlalchemy.pool.QueuePool",
    ),
    condition=SPARE_SESSIONS,
    affected_control="fork_dispose",
    survives_control="nullpool",
    follows_releases=False,
    fills_server=True,
)

"""Every process has a pool of its own, and the server counts them all."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from harness.hazards.hazard import Hazard, Severity
from harness.inside.trial.parent import Failed, Parent
from harness.inside.trial.worker import Worker
from harness.postgres.server import libpq_url

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

LIMIT = 5
"""Sessions that the role of this reproduction may have: a small server of its own."""

WORKERS = 3
BURST = 3
"""Connections that each worker needs at once, for a moment."""


def burst(engine: Engine) -> int:
    """Use several connections at once, give them back, and count those that the pool keeps open."""
    taken: list[Any] = [engine.raw_connection() for _ in range(BURST)]
    drivers = [connection.cursor().connection for connection in taken]
    for connection in taken:
        connection.close()
    return sum(not driver.closed for driver in drivers)


def work(worker: Worker) -> None:
    engine = worker.engine()
    worker.report(burst(engine))
    worker.wait()


def reproduce(parent: Parent) -> bool:
    role, password = f"poolstart_{os.getpid()}", secrets.token_hex()
    parent.ask(f"create role {role} login password '{password}' connection limit {LIMIT}")
    try:
        parent.url = libpq_url(make_url(parent.url).set(username=role, password=password))
        return refused(parent, role)
    finally:
        parent.ask("select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = %s", role)
        parent.ask(f"drop role {role}")


def refused(parent: Parent, role: str) -> bool:
    def sessions(state: str = "%") -> int:
        return int(
            parent.ask(
                "select count(*) from pg_stat_activity where usename = %s and coalesce(state, '') like %s",
                role,
                state,
            )
        )

    engine = parent.engine()
    kept = [0 if parent.warm(engine).closed else 1]
    parent.tell("server", f"Lets the user of this program have {LIMIT} sessions.")
    parent.tell("parent", f"Starts {WORKERS} workers, one after another.")
    for number in range(1, WORKERS + 1):
        worker = parent.start(work, engine=engine)
        try:
            kept.append(worker.answer())
        except Failed as error:
            if "too many connections" not in str(error):
                raise
            parent.tell(
                "server",
                f"Has {sessions()} sessions of this user, {sessions('active')} of them active.",
            )
            parent.tell("worker", f"Number {number} needs {BURST} connections for a moment.")
            parent.tell("user", str(error))
            return True
        parent.tell(
            "worker", f"Number {number} has used {BURST} connections at once; its pool keeps {kept[-1]}."
        )
        # A session that was closed is there until its backend has ended.
        parent.wait_for(lambda: sessions() <= sum(kept), "the end of the sessions that no pool keeps")
    parent.tell("server", f"Has {sessions()} sessions of this user.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="max_connections",
    title="Workers times pool against the server's limit",
    description=(
        "A pool bounds the connections of one process. With every worker there is another pool, and each"
        " keeps up to pool_size connections open once it has needed them, idle or not. The server counts"
        " them together: sixteen workers with SQLAlchemy's default of 5 and an overflow of 10 may want 240"
        " sessions of a server that has 100, and the one that is refused is whoever comes last."
    ),
    symptom=(
        "sorry, too many clients already. After more workers or a second instance were added, on a server"
        " that does next to nothing."
    ),
    struck_when="A worker is refused a connection while all sessions are idle.",
    avoidance=(
        "workers x (pool_size + max_overflow) below the limit: a worker that does one thing at a time needs"
        " create_engine(url, pool_size=1, max_overflow=0). Or NullPool, or a pooler such as PgBouncer."
    ),
    severity=Severity.LOUD_ERROR,
    messages=(
        "FATAL:  sorry, too many clients already",
        "FATAL:  too many connections for role",
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
    ),
    links=(
        "https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-MAX-CONNECTIONS",
        "https://docs.sqlalchemy.org/en/20/core/pooling.html#sqlalchemy.pool.QueuePool",
    ),
    reproduce=reproduce,
    struck_control="fork_dispose",
    survives_control="nullpool",
    follows_releases=False,
)

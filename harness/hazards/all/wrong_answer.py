"""The parent reads a row of the worker's query."""

import random

from harness.fixes import EVERY_ENGINE, OTHER_CONNECTION, OWN_CONNECTIONS
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.session import wrong_row
from harness.hazards.inside.worker import Worker


def ask_and_wait(worker: Worker, gate: int) -> None:
    """Send a query that the server answers only when `gate` is open."""
    engine = worker.engine()
    with engine.connect() as connection:
        connection.exec_driver_sql(f"select 'worker' from (select pg_advisory_xact_lock({gate})) as gate")


def question(parent: Parent, isolation: str) -> str:
    """Let the parent query its own name; return the wrong name or the error, empty if the answer is right."""
    engine = parent.engine(isolation_level=isolation)
    parent.warm(engine)
    # The gate fixes the order: the worker sends its query, and has ended before the server answers.
    gate = random.getrandbits(62)
    parent.ask("select pg_advisory_lock(%s)", gate)
    worker = parent.start(ask_and_wait, gate, engine=engine)
    # A worker whose driver refuses the inherited connection fails, and sends nothing.
    parent.wait_for(lambda: waits(parent, gate) or worker.settled(), "the worker's query")
    worker.kill()
    parent.ask("select pg_advisory_unlock(%s)", gate)
    return wrong_row(engine)


def waits(parent: Parent, gate: int) -> bool:
    """Whether a session waits for `gate` to be opened."""
    waiting = (
        "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        " and (classid::bigint << 32 | objid::bigint) = %s"
    )
    return bool(parent.ask(waiting, gate))


def reproduce(parent: Parent) -> bool:
    parent.tell("worker", "Asks for select 'worker', and is killed before the answer comes.")
    parent.tell("server", "Sends the answer to the socket that the query came from.")
    alone = question(parent, "AUTOCOMMIT")
    parent.tell("parent", f"Asks for select 'parent' in autocommit: {alone or 'reads its own row'}.")
    in_transaction = question(parent, "READ COMMITTED")
    parent.tell("parent", f"Asks the same in a transaction: {in_transaction or 'reads its own row'}.")
    parent.tell("user", alone or in_transaction or "Nothing unusual.")
    return bool(alone or in_transaction)


HAZARD = Hazard(
    id="wrong_answer",
    title="The parent reads the worker's row",
    description=(
        "A session answers queries in the order in which they arrive, and nothing in an answer says who"
        " asked. If a worker sends a query over the inherited connection and goes away before it has read the"
        " answer, the parent's next query is answered with the worker's row. In autocommit this is silent: a"
        " wrong row, no error. In a transaction the driver expected the answer to BEGIN, and reports an"
        " error."
    ),
    symptom=(
        "error with status PGRES_TUPLES_OK and no message from the libpq. Or a row that belongs to someone"
        " else."
    ),
    affected_when="The parent reads anything but its own row.",
    avoidance=OWN_CONNECTIONS,
    fixes=(EVERY_ENGINE, OTHER_CONNECTION),
    severity=Severity.WRONG_DATA,
    messages=("error with status PGRES_TUPLES_OK and no message from the libpq",),
    links=(
        "https://github.com/psycopg/psycopg2/issues/994",
        "https://github.com/sqlalchemy/sqlalchemy/issues/7984",
        "https://github.com/PlanExeOrg/PlanExe/pull/674",
        "https://github.com/geopython/pywps/pull/341",
    ),
    by_driver=True,
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
)

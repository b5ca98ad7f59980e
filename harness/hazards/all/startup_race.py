"""Every worker creates the tables when it starts, and all start at once."""

from typing import Any

from harness.fixes import ONE_AT_A_TIME, ONE_SCHEDULER
from harness.hazards.conditions import DONE_ONCE
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Failed
from harness.hazards.inside.parent import Connection, Engine, Parent
from harness.hazards.inside.worker import Worker

LOCK = "select pg_advisory_xact_lock(7)"
"""A lock that lets one worker at a time create the tables; any number will do, if all workers use it."""


def create_tables(connection: Connection, table: str) -> None:
    from sqlalchemy import Column, Integer, MetaData, Table

    metadata = MetaData()
    Table(table, metadata, Column("id", Integer, primary_key=True))
    metadata.create_all(connection)


def start_up(worker: Worker, table: str, takes_lock: bool) -> str:
    """Report the backend, that the table is missing, and that it has been created; then commit."""
    from sqlalchemy import event

    def creates(*arguments: Any) -> None:
        if "CREATE TABLE" in arguments[2]:
            worker.report("There is no table.")
            worker.wait()

    with worker.engine().begin() as connection:
        worker.report(connection.exec_driver_sql("select pg_backend_pid()").scalar())
        if takes_lock:
            connection.exec_driver_sql(LOCK)
        event.listen(connection, "before_cursor_execute", creates)
        create_tables(connection, table)
        worker.report("There is a table.")
        worker.wait()
    return "committed"


def waits_for_lock(parent: Parent, backend: int) -> bool:
    query = "select count(*) from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
    return bool(parent.ask(query, backend))


def error_of_second(parent: Parent, engine: Engine, table: str) -> str:
    """Start two workers at once; return the error of the second, empty without one."""
    takes_lock = parent.keeps_condition
    first = parent.start(start_up, table, takes_lock, engine=engine)
    first.answer()
    parent.tell("worker", f"Number 1 asks for the table: {first.answer()}")
    second = parent.start(start_up, table, takes_lock, engine=engine)
    backend = second.answer()
    if not takes_lock:
        parent.tell("worker", f"Number 2 asks for the table: {second.answer()}")
    first.say()
    first.answer()
    parent.tell("worker", "Number 1 creates the table, and has not committed yet.")
    if not takes_lock:
        second.say()
    parent.wait_for(lambda: waits_for_lock(parent, backend), "that the second worker waits for the first")
    parent.tell("server", f"Number 2 {'waits' if takes_lock else 'creates it too, and waits'} for number 1.")
    first.say()
    parent.tell("worker", f"Number 1 has {first.answer()}.")
    try:
        second.answer()
        second.say()
        parent.tell("worker", f"Number 2 finds the table, and has {second.answer()}.")
    except Failed as failed:
        parent.tell("worker", "Number 2 fails.")
        return str(failed).partition(" DETAIL:")[0]
    return ""


def reproduce(parent: Parent) -> bool:
    # The engine has never connected, so its workers share nothing.
    engine = parent.engine()
    parent.tell("parent", "Starts two workers, which create the table of the program if it is not there.")
    with parent.table() as table:
        error = error_of_second(parent, engine, table)
        parent.tell("user", error or "Nothing unusual.")
        third = parent.start(start_up, table, parent.keeps_condition, engine=engine)
        third.answer()
        if third.answer() != "There is a table.":
            raise RuntimeError("a worker that starts when the table is there does not find it")
        parent.tell("worker", "Number 3 starts later, and finds the table.")
        third.kill()
    return bool(error)


HAZARD = Hazard(
    id="startup_race",
    title="Start-up code that all workers run at once",
    description=(
        "Many programs create their tables, run migrations or insert first rows when they start. With several"
        " workers each of them does so, at the same moment. create_all() asks the server which tables exist"
        " and then creates the others: two workers that ask at once both create. The second one waits until"
        " the first has committed, and fails, mostly not with `already exists`, but in a unique index of the"
        " system catalogue; `create table if not exists` fails likewise. At the next start the tables are"
        " there and the error is gone. This needs no fork: it happens with every start method, and between"
        " containers. A scheduler that each worker starts has the same problem: all add the same job to a"
        " shared job store (APScheduler: ConflictingIdError), and each runs it."
    ),
    symptom=(
        "The first start of a new release or on an empty database fails in some workers, and succeeds when"
        " tried again."
    ),
    affected_when="One of two workers that start together fails.",
    avoidance=(
        "Do it once, in the parent or in a step of the deployment, before workers start. Or let each worker"
        ' first take a lock in the same transaction: connection.execute(text("select'
        ' pg_advisory_xact_lock(7)")), then metadata.create_all(connection). A scheduler runs in one process,'
        " and adds its jobs with replace_existing=True."
    ),
    fixes=(ONE_AT_A_TIME, ONE_SCHEDULER),
    severity=Severity.LOUD_ERROR,
    messages=(
        'duplicate key value violates unique constraint "pg_type_typname_nsp_index"',
        'duplicate key value violates unique constraint "pg_class_relname_nsp_index"',
        'duplicate key value violates unique constraint "pg_namespace_nspname_index"',
        'duplicate key value violates unique constraint "pg_extension_name_index"',
        "tuple concurrently updated",
    ),
    links=(
        "https://github.com/pallets-eco/flask-sqlalchemy/issues/656",
        "https://github.com/CERT-Polska/mailgoose/pull/215",
        "https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS",
    ),
    condition=DONE_ONCE,
    affected_control="spawn",
    survives_within="a worker that starts later must find the table",
    follows_releases=False,
)

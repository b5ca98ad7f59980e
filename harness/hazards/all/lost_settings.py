"""A worker that makes its engine from the URL alone lacks the other settings of the parent's engine."""

import os
from typing import Any

from harness.fixes import MAKE_ENGINE
from harness.hazards.conditions import ONE_FACTORY
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.worker import Worker

ISOLATION = "REPEATABLE READ"
TENANT = "poolstart.tenant"
"""A setting of the session, by which policies of row level security may decide."""

EXPECTED = {"row": "own row", "tenant": "mine", "isolation": ISOLATION.lower()}
"""The parent's settings, as the database reports them."""


def options(schema: str) -> dict[str, Any]:
    """The arguments of `create_engine` besides the URL."""
    return {
        "connect_args": {"options": f"-csearch_path={schema}"},
        "execution_options": {"isolation_level": ISOLATION},
    }


def listen(engine: Engine) -> Engine:
    """Set the tenant of each new session."""
    from sqlalchemy import event

    def set_tenant(connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"set {TENANT} = 'mine'")
        connection.commit()

    event.listen(engine, "connect", set_tenant)
    return engine


def make_engine(url: str, schema: str) -> Engine:
    """The one function that makes this program's engine, in each of its processes."""
    from sqlalchemy import create_engine

    return listen(create_engine(url, **options(schema)))


def look(engine: Engine, table: str) -> dict[str, str]:
    """The settings of a process and the rows that it sees, as the database reports them."""
    with engine.connect() as connection:
        return {
            "row": str(connection.exec_driver_sql(f"select note from {table}").scalar()),
            "tenant": str(connection.exec_driver_sql(f"select current_setting('{TENANT}', true)").scalar()),
            "isolation": str(connection.exec_driver_sql("show transaction_isolation").scalar()),
        }


def look_by_strategy(worker: Worker, table: str) -> dict[str, str]:
    return look(worker.engine(), table)


def look_by_factory(worker: Worker, table: str, url: str, schema: str) -> dict[str, str]:
    return look(make_engine(url, schema), table)


def reproduce(parent: Parent) -> bool:
    schema, table = f"poolstart_own_{os.getpid()}", f"poolstart_notes_{os.getpid()}"
    parent.ask(
        f"create schema {schema}; create table {schema}.{table} as select 'own row' as note;"
        f" create table {table} as select 'row of another program' as note"
    )
    try:
        return finds_other(parent, schema, table)
    finally:
        parent.ask(f"drop schema {schema} cascade; drop table {table}")


def finds_other(parent: Parent, schema: str, table: str) -> bool:
    """Whether a worker finds other settings or rows than its parent."""
    engine = listen(parent.engine(**options(schema)))
    expected = look(engine, table)
    engine.dispose()  # so that no connection is left that workers could share
    if expected != EXPECTED:
        raise RuntimeError(f"the parent itself has {shown(expected)}")
    parent.tell(
        "parent", f"Its engine has a search_path, an isolation level and a listener: {shown(expected)}."
    )
    if parent.keeps_condition:
        worker = parent.start(look_by_factory, table, parent.url, schema, engine=engine)
    else:
        worker = parent.start(look_by_strategy, table, engine=engine)
    found = worker.answer()
    affected = bool(found != expected)
    parent.tell(
        "worker",
        f"{'Inherits the engine' if parent.strategy.hands_engine else 'Has the URL'}: {shown(found)}.",
    )
    parent.tell(
        "server", "Finds the table of that name in another schema." if affected else "Sees equal sessions."
    )
    parent.tell("user", "No error, and wrong rows." if affected else "Nothing unusual.")
    return affected


def shown(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in found.items())


HAZARD = Hazard(
    id="lost_settings",
    title="An engine made from the URL lacks the settings of the parent's",
    description=(
        "An engine is more than its URL. create_engine(url) in a worker knows nothing of the parent's"
        " connect_args (search_path, timeouts), execution_options (isolation level, schema_translate_map),"
        " event listeners (SET ROLE, the tenant of row level security, types) and pool settings. It works"
        " without an error: the worker reads another schema's table, or rows that its role must not see. A"
        " forked worker that uses the inherited engine keeps them all, after dispose(close=False) too."
    ),
    symptom=(
        "Workers read rows of another tenant or schema, or find no table, since they are spawned and get the"
        " URL."
    ),
    affected_when="With the URL of the parent's engine, a worker's query finds other rows or settings.",
    avoidance=(
        "Write one function that makes the engine with all that belongs to it, and call it in the parent and"
        " in each worker. What is to hold in every session can be set in the server: ALTER ROLE app SET"
        " search_path = tenant."
    ),
    fixes=(MAKE_ENGINE,),
    severity=Severity.WRONG_DATA,
    messages=("permission denied for table",),
    links=(
        "https://github.com/skypilot-org/skypilot/pull/10611",
        "https://docs.sqlalchemy.org/en/20/core/engines.html#custom-dbapi-connect-arguments-on-connect-routines",
        "https://www.postgresql.org/docs/current/ddl-rowsecurity.html",
    ),
    condition=ONE_FACTORY,
    affected_control="spawn",
    survives_control="fork_dispose",
    follows_releases=False,
)

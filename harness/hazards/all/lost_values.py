"""Values that the parent sets at run time do not reach a worker that imports its modules again."""

import os

from harness.fixes import PASSED_VALUE
from harness.hazards.conditions import VALUES_PASSED
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker

VARIABLE = "POOLSTART_HAZARD_TENANT"

DEFAULT, CHOSEN = "default", "chosen"

SETTINGS = {"tenant": DEFAULT}
"""The settings of the program, a global with a default, which its main function changes."""


def start_fork_server(worker: Worker) -> None:
    """The task of the first worker."""


def insert(worker: Worker, table: str, given: str) -> None:
    """Store the tenant of this worker, taken from a global and an environment variable, or `given`."""
    by_global = given or SETTINGS["tenant"]
    by_variable = given or os.environ.get(VARIABLE, DEFAULT)
    with worker.engine().begin() as connection:
        connection.exec_driver_sql(f"insert into {table} values ('{by_global}', '{by_variable}')")


def reproduce(parent: Parent) -> bool:
    given = CHOSEN if parent.keeps_condition else ""
    with parent.table("by_global text, by_variable text") as table:
        # The engine has never connected, so its workers share nothing.
        engine = parent.engine()
        parent.start(start_fork_server).answer()
        SETTINGS["tenant"] = os.environ[VARIABLE] = CHOSEN
        parent.start(insert, table, given, engine=engine).answer()
        by_global = parent.ask(f"select by_global from {table}")
        by_variable = parent.ask(f"select by_variable from {table}")
    parent.tell(
        "parent", "Has had a worker; then sets a global and an environment variable, and starts another."
    )
    parent.tell(
        "worker", f"Sees the global as {by_global!r}, the variable as {by_variable!r}, and stores a row."
    )
    affected = (by_global, by_variable) != (CHOSEN, CHOSEN)
    parent.tell(
        "server", "Has a row for the wrong tenant." if affected else "Has the row for the right tenant."
    )
    parent.tell("user", "No error, and a row in the wrong place." if affected else "Nothing unusual.")
    return affected


HAZARD = Hazard(
    id="lost_values",
    title="Values set at run time that do not reach a worker",
    description=(
        "A spawned worker imports its modules again: globals have the values of the import, not those that"
        " main(), a command line or a test has set since. Under forkserver the environment is lost too: a"
        " worker gets a copy of the fork server's, from the moment when it started, with the first worker. A"
        " forked worker has everything as it was at the fork; the workers of a pool that was made earlier, of"
        " Celery or gunicorn, do not see later changes. Where there is a default there is no error: the"
        " worker uses the wrong database, schema or tenant."
    ),
    symptom=(
        "Workers connect to the default database or write for the wrong tenant since the start method"
        " changed, with Python 3.14 for example; in the parent all values are right."
    ),
    affected_when="A worker sees another value of a global or an environment variable than its parent.",
    avoidance=(
        "Pass values as arguments: Process(args=...), or initializer and initargs of a pool. Set environment"
        " variables before the first worker starts, best before the program does."
    ),
    fixes=(PASSED_VALUE,),
    severity=Severity.WRONG_DATA,
    messages=(),
    links=(
        "https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods",
        "https://docs.python.org/3/whatsnew/3.14.html#multiprocessing",
    ),
    condition=VALUES_PASSED,
    affected_control="spawn",
    survives_control="fork_dispose",
    follows_releases=False,
)

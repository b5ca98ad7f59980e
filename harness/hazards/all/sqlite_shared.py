"""A pooled SQLite connection is inherited by a forked worker."""

import sqlite3
from typing import Any

from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import Failed
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker


def insert(worker: Worker) -> None:
    engine = worker.engine()
    worker.report("ready")
    worker.wait()
    with engine.begin() as connection:
        connection.exec_driver_sql("insert into work values ('worker')")


def rows_in(database: str) -> tuple[list[str], str]:
    """The rows that a new connection finds, and the result of integrity_check."""
    connection = sqlite3.connect(database)
    try:
        rows = [row for (row,) in connection.execute("select who from work order by 1")]
        ((integrity,),) = connection.execute("pragma integrity_check")
    finally:
        connection.close()
    return rows, integrity


def reproduce(parent: Parent) -> bool:
    database = str(parent.scratch / "work.sqlite")
    setup: Any = sqlite3.connect(database)
    setup.execute("pragma journal_mode = wal")
    setup.execute("create table work (who text)")
    setup.close()

    parent.url = f"sqlite:///{database}"
    engine = parent.engine()
    with engine.begin() as connection:
        connection.exec_driver_sql("insert into work values ('parent')")
    parent.tell("parent", f"Has inserted a row into a SQLite file through a {type(engine.pool).__name__}.")
    worker = parent.start(insert, engine=engine)
    worker.answer()
    engine.dispose()
    parent.tell(
        "parent", "Is done, and closes its connections; the last one to close removes the write-ahead log."
    )
    worker.say()
    error = ""
    try:
        worker.answer()
        parent.tell("worker", "Inserts a row and commits, without an error.")
        worker.join()
    except Failed as failed:
        error = str(failed)
        parent.tell("worker", "Inserts a row, and fails.")
    rows, integrity = rows_in(database)
    parent.tell(
        "server",
        f"There is none; the file holds the rows of {' and '.join(rows)}, integrity_check: {integrity}.",
    )
    lost = rows != ["parent", "worker"] or integrity != "ok"
    parent.tell(
        "user", error or ("No error, and the worker's row is not there." if lost else "Nothing unusual.")
    )
    return lost or bool(error)


HAZARD = Hazard(
    id="sqlite_shared",
    title="A pooled SQLite connection across a fork",
    description=(
        "SQLite protects its file with locks that belong to a process, and a fork does not copy them. An"
        " inherited connection believes that it holds a read lock; the operating system knows nothing of it."
        " When the parent closes its connections, it finds no other user of the file and removes the"
        " write-ahead log that the worker still writes to: the worker's commits go to a file that no longer"
        " has a name. SQLAlchemy 1.4 opened a connection for each checkout of a SQLite file and left nothing"
        " to inherit; since 2.0 these connections are pooled."
    ),
    symptom="Committed rows are missing. Or: database disk image is malformed.",
    affected_when=(
        "A row that the worker committed is not in the file, its INSERT fails, or integrity_check reports an"
        " error."
    ),
    avoidance=(
        "Call engine.dispose(close=False) first thing in the worker, use NullPool, or use a start method that"
        " inherits nothing (spawn or forkserver)."
    ),
    severity=Severity.SILENT_LOSS,
    messages=("database disk image is malformed",),
    links=(
        "https://www.sqlite.org/howtocorrupt.html",
        "https://github.com/gentoo/portage/pull/600",
        "https://github.com/graphnet-team/graphnet/pull/243",
    ),
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
)

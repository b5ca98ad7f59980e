"""Each worker creates the tables when it starts; all of them have asked before the first one creates."""

import multiprocessing
import os
import sys
import time

from sqlalchemy import Column, Integer, MetaData, Table, create_engine, event, text

engine = create_engine(os.environ["URL"])
metadata = MetaData()
Table("startup_race", metadata, Column("id", Integer, primary_key=True))
WORKERS = 3


@event.listens_for(engine, "before_cursor_execute")
def wait(connection, cursor, statement, *_):
    if statement.lstrip().startswith("CREATE TABLE"):
        cursor.execute("select pg_advisory_xact_lock_shared(707)")


# broken: start
def create_tables():
    with engine.begin() as connection:
        metadata.create_all(connection)


# end


def work(errors):
    try:
        create_tables()
        errors.put("")
    except Exception as error:
        errors.put(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    own = create_engine(os.environ["URL"])
    waiting = text("select count(*) from pg_locks where locktype = 'advisory' and not granted")
    context = multiprocessing.get_context("spawn")
    errors = context.SimpleQueue()
    with own.connect() as connection:
        connection.execute(text("drop table if exists startup_race"))
        connection.execute(text("select pg_advisory_lock(707)"))
        connection.commit()
        for _ in range(WORKERS):
            context.Process(target=work, args=(errors,)).start()
        while connection.execute(waiting).scalar() < WORKERS:
            connection.rollback()
            time.sleep(0.05)
        connection.execute(text("select pg_advisory_unlock(707)"))
        connection.commit()
    failed = [error for error in (errors.get() for _ in range(WORKERS)) if error]
    sys.exit(failed[0] if failed else 0)

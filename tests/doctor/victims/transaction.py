"""A worker waits for a row that its parent has not committed yet, and the parent waits for the worker."""

import multiprocessing
import os
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

WAITING = "select count(*) from pg_locks where locktype = 'advisory' and objid = {} and {}granted"


def work(url: str, key: int) -> None:
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql("set lock_timeout = 0")
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({key})")
        connection.exec_driver_sql("select pg_sleep(600)")


if __name__ == "__main__":
    engine = create_engine(URL)
    query(engine)
    # Its own: the session of a victim that was ended may keep its lock while it sleeps.
    key = os.getpid()
    with engine.connect() as connection, create_engine(URL, isolation_level="AUTOCOMMIT").connect() as other:
        transaction = connection.begin()
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({key})")
        if not BROKEN:
            transaction.commit()
        worker = multiprocessing.get_context("spawn").Process(target=work, args=(URL, key))
        worker.start()
        while not other.exec_driver_sql(WAITING.format(key, "not " if BROKEN else "")).scalar():
            time.sleep(0.05)
        ready()
        worker.join()

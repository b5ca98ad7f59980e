"""Two workers create the same table at the same time, or one after the other."""

import multiprocessing
import os
import time
from typing import Any

from common import BROKEN, URL, ready
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError


def create(name: str, created: Any, others: Any) -> None:
    with create_engine(URL).connect() as connection:
        transaction = connection.begin()
        connection.exec_driver_sql(f"create table if not exists {name} (x int)")
        created.set()
        # Until the other one waits for this transaction.
        while BROKEN and not waiting(connection):
            time.sleep(0.02)
        transaction.commit()
        others.wait()


def waiting(connection: Any) -> bool:
    sql = "select count(*) from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))"
    return bool(connection.exec_driver_sql(sql).scalar())


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    created, others = context.Event(), context.Event()
    name = f"startup_race_{os.getpid()}"
    worker = context.Process(target=create, args=(name, created, others))
    worker.start()
    created.wait()
    if not BROKEN:
        others.set()
        worker.join()
    try:
        with create_engine(URL).begin() as connection:
            connection.exec_driver_sql(f"create table if not exists {name} (x int)")
    except IntegrityError:
        assert BROKEN
    with create_engine(URL).begin() as connection:
        connection.exec_driver_sql(f"drop table if exists {name}")
    others.set()
    ready()
    time.sleep(600)

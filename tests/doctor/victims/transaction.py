"""A worker waits for a row that its parent has not committed yet, and the parent waits for the worker."""

import multiprocessing

from common import BROKEN, URL, query
from sqlalchemy import create_engine


def work(url: str) -> None:
    with create_engine(url).begin() as connection:
        connection.exec_driver_sql("set lock_timeout = 0")
        print("ready", flush=True)
        connection.exec_driver_sql("select pg_advisory_xact_lock(4711)")
        connection.exec_driver_sql("select pg_sleep(600)")


if __name__ == "__main__":
    engine = create_engine(URL)
    query(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("select pg_advisory_xact_lock(4711)")
        if not BROKEN:
            connection.commit()
        worker = multiprocessing.get_context("spawn").Process(target=work, args=(URL,))
        worker.start()
        worker.join()

"""psycopg prepares statements: parent and worker choose one name for theirs in one session."""

import contextlib
import multiprocessing

from common import BROKEN, URL, query_forever
from sqlalchemy import create_engine
from sqlalchemy.exc import ProgrammingError

engine = create_engine(URL.replace("+psycopg2", "+psycopg"))


def ask() -> None:
    with engine.begin() as connection:
        for _ in range(8):
            connection.exec_driver_sql("select 1")


def work() -> None:
    if not BROKEN:
        engine.dispose(close=False)
    with contextlib.suppress(ProgrammingError):
        ask()
    query_forever(engine, announce=True)


if __name__ == "__main__":
    ask()
    multiprocessing.get_context("fork").Process(target=work).start()

"""A worker treats one of its two engines, or both."""

import multiprocessing

from common import BROKEN, URL, query, query_forever
from sqlalchemy import create_engine

engine, reports = create_engine(URL), create_engine(URL)


def work() -> None:
    for each in (engine,) if BROKEN else (engine, reports):
        each.dispose(close=False)
    query(engine)
    query_forever(reports, announce=True)


if __name__ == "__main__":
    query(engine)
    query(reports)
    multiprocessing.get_context("fork").Process(target=work).start()

"""`ProcessPoolExecutor` with forked workers."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from common import BROKEN, URL, query, query_forever
from sqlalchemy import create_engine

engine = create_engine(URL)


def own_connections() -> None:
    if not BROKEN:
        engine.dispose(close=False)


def task() -> None:
    query_forever(engine, announce=True)


if __name__ == "__main__":
    query(engine)
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork"), own_connections) as executor:
        executor.submit(task).result()

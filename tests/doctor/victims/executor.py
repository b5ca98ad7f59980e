"""`ProcessPoolExecutor` with forked workers."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from common import BROKEN, URL, query, query_forever, ready
from sqlalchemy import create_engine

engine = create_engine(URL)


def own_connections() -> None:
    if not BROKEN:
        engine.dispose(close=False)


def task() -> None:
    query_forever(engine)


if __name__ == "__main__":
    query(engine)
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork"), own_connections) as executor:
        future = executor.submit(task)
        ready()
        future.result()

"""`multiprocessing.Pool` with forked workers that query without end."""

import multiprocessing

from common import BROKEN, URL, query, query_forever, ready
from sqlalchemy import create_engine

engine = create_engine(URL)


def own_connections() -> None:
    if not BROKEN:
        engine.dispose(close=False)


def task(_: int) -> None:
    query_forever(engine)


if __name__ == "__main__":
    query(engine)
    with multiprocessing.get_context("fork").Pool(1, own_connections) as pool:
        result = pool.map_async(task, [0])
        ready()
        result.wait()

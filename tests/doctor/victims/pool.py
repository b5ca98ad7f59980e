"""`multiprocessing.Pool` with forked workers that query without end."""

import multiprocessing

from common import BROKEN, URL, query, query_forever
from sqlalchemy import create_engine, event

engine = create_engine(URL)
# One that refuses nothing.
event.listen(engine, "checkout", lambda *_: None)


def own_connections() -> None:
    if not BROKEN:
        engine.dispose(close=False)


def task(_: int) -> None:
    query_forever(engine, announce=True)


if __name__ == "__main__":
    query(engine)
    with multiprocessing.get_context("fork").Pool(1, own_connections) as pool:
        pool.map(task, [0])

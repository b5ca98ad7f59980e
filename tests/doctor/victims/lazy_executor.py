"""An executor that forks its worker at the first task, after its parent has connected."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from common import BROKEN, URL, query, query_forever
from sqlalchemy import create_engine

engine = create_engine(URL)


def task() -> None:
    query_forever(engine, announce=True)


if __name__ == "__main__":
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as executor:
        if not BROKEN:
            executor.submit(abs, 1).result()
        query(engine)
        executor.submit(task).result()

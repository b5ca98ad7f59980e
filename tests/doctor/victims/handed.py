"""A session factory is handed to a spawned worker, or the URL from which it makes its own."""

import multiprocessing
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker


def work(given):
    query(create_engine(given))
    ready()
    time.sleep(600)


if __name__ == "__main__":
    given = sessionmaker(create_engine(URL)) if BROKEN else URL
    worker = multiprocessing.get_context("spawn").Process(target=work, args=(given,))
    try:
        worker.start()
    except Exception:
        assert BROKEN
        ready()
        time.sleep(600)
    worker.join()

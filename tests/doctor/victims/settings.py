"""A spawned worker makes its engine from the URL alone, or by the function that its parent uses."""

import multiprocessing
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine, event


def make_engine(url):
    engine = create_engine(url, connect_args={"options": "-csearch_path=pg_catalog"})
    event.listen(engine, "connect", lambda connection, record: None)
    return engine


def work(url):
    query(create_engine(url) if BROKEN else make_engine(url))
    ready()
    time.sleep(600)


if __name__ == "__main__":
    query(make_engine(URL))
    worker = multiprocessing.get_context("spawn").Process(target=work, args=(URL,))
    worker.start()
    worker.join()

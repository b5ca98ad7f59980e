"""A worker makes its engine from the URL, without what else its parent's engine was given."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, text


def make_engine(url):
    return create_engine(url, connect_args={"options": "-csearch_path=pasted"})


def look(engine):
    with engine.connect() as connection:
        return connection.execute(text("show search_path")).scalar()


def work(url):
    # paste
    engine = create_engine(url)
    # end
    return look(engine)


if __name__ == "__main__":
    url = os.environ["VICTIM_URL"]
    parent = look(make_engine(url))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        sys.exit(parent != pool.apply(work, (url,)))

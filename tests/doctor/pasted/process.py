"""A worker of multiprocessing uses its parent's connection."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, text

engine = create_engine(os.environ["VICTIM_URL"])


def backend():
    with engine.connect() as connection:
        return connection.execute(text("select pg_backend_pid()")).scalar()


def work(answer):
    # paste
    # end
    answer.put(backend())


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    parent, answer = backend(), context.SimpleQueue()
    context.Process(target=work, args=(answer,)).start()
    sys.exit(parent == answer.get())

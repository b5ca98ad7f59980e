"""A plain script that times an executor's first row without the harness."""

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from sqlalchemy import create_engine, text

engine = create_engine(sys.argv[1])


def row():
    with engine.connect() as connection:
        connection.execute(text("select :x, pg_backend_pid()"), {"x": "x"}).one()
    return time.monotonic()


def own_connections():
    engine.dispose(close=False)


if __name__ == "__main__":
    row()
    print("ready", flush=True)
    input()
    begin = time.monotonic()
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork"), own_connections) as executor:
        print(executor.submit(row).result() - begin)

"""What anybody would write to time a worker: no harness, nothing imported from it."""

import multiprocessing
import sys
import time

from sqlalchemy import create_engine, text


def work(engine_or_url, pipe):
    started = time.monotonic()
    if isinstance(engine_or_url, str):
        engine = create_engine(engine_or_url)
    else:
        engine = engine_or_url
        engine.dispose(close=False)
    with engine.connect() as connection:
        connection.execute(text("select 1")).one()
    pipe.send((started, time.monotonic()))


if __name__ == "__main__":
    strategy, url = sys.argv[1:]
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("select 1")).one()
    fork = strategy == "fork_dispose"
    context = multiprocessing.get_context("fork" if fork else "spawn")
    for _ in sys.stdin:
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(engine if fork else url, theirs))
        called = time.monotonic()
        process.start()
        started, first_row = ours.recv()
        process.join()
        print(started - called, first_row - started, flush=True)

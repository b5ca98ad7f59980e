"""A plain script that times a worker, without the harness: the reference that its figures must agree with."""

import gc
import multiprocessing
import sys
import time

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

PRELOADED = ["sqlalchemy", "sqlalchemy.dialects.postgresql.psycopg2", "psycopg2"]
QUERY = text("select :x, pg_backend_pid()")


def query(engine):
    with engine.connect() as connection:
        connection.execute(QUERY, {"x": "x"}).one()


def unique():
    """Memory of this process that no other shares, in bytes."""
    with open("/proc/self/smaps_rollup") as file:
        return 1024 * sum(int(line.split()[1]) for line in file if line.startswith("Private_"))


def work(strategy, handed, pipe):
    started = time.monotonic()
    if isinstance(handed, str):
        engine = create_engine(handed)
    else:
        engine = handed
        if strategy == "fork_dispose":
            engine.dispose(close=False)
    query(engine)
    first = time.monotonic()
    query(engine)
    second = time.monotonic()
    pipe.send((started, first, second, unique()))
    pipe.recv()


def table(mib):
    """A table of about `mib` MiB: rows of 40 numbers, a category and a text."""
    import numpy as np
    import pandas as pd

    rows = mib * 2**20 // 394
    columns = {f"float_{i}": np.full(rows, 0.5) for i in range(24)}
    columns |= {f"integer_{i}": np.arange(rows) for i in range(16)}
    columns["region"] = pd.Categorical.from_codes(np.arange(rows) % 4, list("nesw"))
    columns["customer"] = pd.Series([f"name-{i:010d}" for i in range(rows)], dtype=object)
    return pd.DataFrame(columns, copy=False)


frame = None


def main():
    global frame
    strategy, url, mib = sys.argv[1:]
    frame = table(int(mib)) if int(mib) else None
    forked = strategy in ("fork_nodispose", "fork_dispose", "nullpool")
    engine = create_engine(url, **({"poolclass": NullPool} if strategy == "nullpool" else {}))
    query(engine)
    method = "fork" if forked else strategy.removesuffix("_preload")
    context = multiprocessing.get_context(method)
    if strategy.endswith("_preload"):
        context.set_forkserver_preload(PRELOADED)
    gc.collect()
    print("ready", flush=True)
    for _ in sys.stdin:
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(strategy, engine if forked else url, theirs))
        gc.collect(1)  # as the harness does: the worker inherits the collector's counters
        called = time.monotonic()
        process.start()
        # With a deadline, as in any program that must not hang. That writes to 0.1 MiB of the parent's
        # memory, of which the worker's copy is then unique.
        if not ours.poll(60):
            sys.exit("the worker did not report")
        started, first, second, memory = ours.recv()
        ours.send(None)
        process.join()
        print(started - called, first - started, second - first, memory, flush=True)

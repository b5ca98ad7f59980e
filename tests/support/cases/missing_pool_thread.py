"""A forked worker uses a psycopg_pool that its parent has opened."""

import multiprocessing
import os
import sys

import psycopg_pool
from sqlalchemy import NullPool, create_engine, make_url, text

CONNINFO = make_url(os.environ["URL"]).set(drivername="postgresql").render_as_string(hide_password=False)
OPTIONS = {"min_size": 1, "max_size": 4, "timeout": 0.6, "close_returns": True}
pool = psycopg_pool.ConnectionPool(CONNINFO, open=False, **OPTIONS)
engine = create_engine("postgresql+psycopg://", poolclass=NullPool, creator=lambda: pool.getconn())


# broken: worker
def in_worker():
    pass


# end


def work(answer):
    engine.dispose(close=False)
    in_worker()
    pool.timeout = 20 if "FIXED" in os.environ else 0.6  # time that a busy machine takes counts for nothing
    try:
        with engine.connect() as one, engine.connect() as another:
            rows = [each.execute(text("select pg_backend_pid()")).scalar() for each in (one, another)]
        answer.put(rows)
    except Exception as error:
        answer.put(f"{type(error).__module__}.{type(error).__name__}: {error}")


if __name__ == "__main__":
    pool.open(wait=True)
    with engine.connect() as connection:
        parent = connection.execute(text("select pg_backend_pid()")).scalar()
    context = multiprocessing.get_context("fork")
    answer = context.SimpleQueue()
    context.Process(target=work, args=(answer,), daemon=True).start()
    seen = answer.get()
    print("parent", parent, "worker", seen)
    sys.stdout.flush()
    os._exit(0 if isinstance(seen, list) and parent not in seen else 1)

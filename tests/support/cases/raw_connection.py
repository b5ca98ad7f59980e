"""A connection that no engine made is a global, and forked workers use it."""

import multiprocessing
import os
import sys

import psycopg2
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import StaticPool

DSN = make_url(os.environ["URL"]).set(drivername="postgresql").render_as_string(hide_password=False)
connection = psycopg2.connect(DSN)
engine = create_engine("postgresql+psycopg2://", creator=lambda: connection, poolclass=StaticPool)


# broken: worker
def in_worker():
    pass


# end


def backends(times):
    if "CREATOR" in os.environ:
        with engine.connect() as ours:
            return ours.execute(text("select pg_backend_pid()")).scalar()
    with connection, connection.cursor() as cursor:
        for _ in range(times):
            cursor.execute("select pg_backend_pid()")
            (backend,) = cursor.fetchone()
    return backend


def work(answer):
    in_worker()
    if "FIXED" in os.environ:
        engine.dispose(close=False)
    try:
        answer.put(backends(8))
    except Exception as error:
        answer.put(f"{type(error).__module__}.{type(error).__name__}: {error}")


if __name__ == "__main__":
    parent = backends(2)
    context = multiprocessing.get_context("fork")
    answer = context.SimpleQueue()
    worker = context.Process(target=work, args=(answer,))
    worker.start()
    seen = answer.get()
    worker.join()
    if isinstance(seen, str):
        sys.exit(seen)
    print("parent", parent, "worker", seen)
    try:
        backends(8)
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
    sys.exit(f"both use backend {parent}" if parent == seen else 0)

"""A pool of psycopg_pool that gunicorn's master has opened: a worker has no second connection."""

import os
import sys

import psycopg_pool
from served import ask, serve
from sqlalchemy import NullPool, create_engine

URL = os.environ["VICTIM_URL"].replace("+psycopg2", "")


def ConnectionPool(*_):
    """What the printed `ConnectionPool(...)` stands for."""
    return psycopg_pool.ConnectionPool(URL, open=True, min_size=1, max_size=2, timeout=2, close_returns=True)


pool = ConnectionPool()
engine = create_engine("postgresql+psycopg://", poolclass=NullPool, creator=lambda: pool.getconn())
post_fork = None


def application(environment, start_response):
    try:
        with engine.connect(), engine.connect():
            failed = b"0"
    except Exception:
        failed = b"1"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [failed]


# paste
# end

if __name__ == "__main__":
    if "serve" in sys.argv:
        pool.wait()
        engine.connect().close()
        serve(application, post_fork)
    sys.exit(ask(__file__))

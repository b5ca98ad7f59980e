"""Pooled connections were ended by the server while they were idle. No other process has them."""

import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

engine = create_engine(URL, pool_pre_ping=not BROKEN)
with engine.connect() as one, engine.connect() as other:
    backends = [each.exec_driver_sql("select pg_backend_pid()").scalar() for each in (one, other)]
for backend in backends:
    query(create_engine(URL), f"select pg_terminate_backend({backend}, 10000)")
try:
    with engine.connect() as one:
        # Of the broken program, the other connection is not asked for again.
        if not BROKEN:
            query(engine)
        one.exec_driver_sql("select 1")
except OperationalError:
    assert BROKEN
ready()
time.sleep(600)

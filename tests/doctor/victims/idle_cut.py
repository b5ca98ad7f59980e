"""A pooled connection was ended by the server while it was idle. No other process has it."""

import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

engine = create_engine(URL, pool_pre_ping=not BROKEN)
with engine.connect() as connection:
    backend = connection.exec_driver_sql("select pg_backend_pid()").scalar()
query(create_engine(URL), f"select pg_terminate_backend({backend}, 10000)")
try:
    query(engine)
except OperationalError:
    assert BROKEN
ready()
time.sleep(600)

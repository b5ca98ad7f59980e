"""A worker that waits for the answer to a long query, over its parent's connection or its own."""

import os
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
query(engine)
if os.fork() == 0:
    if not BROKEN:
        engine.dispose(close=False)
    ready()
    query(engine, "select pg_sleep(600)")
time.sleep(600)

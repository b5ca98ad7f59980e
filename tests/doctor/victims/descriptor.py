"""A daemon closes the descriptors that it does not know, and the driver's becomes another file's."""

import os
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
with engine.connect() as connection:
    descriptor = connection.connection.dbapi_connection.fileno()
if os.fork() == 0:
    if BROKEN:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, descriptor)
    else:
        engine.dispose(close=False)
    try:
        query(engine)
    except Exception:
        assert BROKEN
    ready()
time.sleep(600)

"""A worker returns its parent's connection, which is in a transaction, to its copy of the pool."""

import os
import time

from common import BROKEN, URL, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
connection = engine.connect()
connection.exec_driver_sql("select 1")
if not BROKEN:
    connection.connection.commit()
    connection.close()
    engine.dispose()
if os.fork() == 0:
    if BROKEN:
        connection.close()
    ready()
time.sleep(600)

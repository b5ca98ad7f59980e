"""A process of two forks uses the engine of the first one; the one in between has exited."""

import os
import time

from common import BROKEN, URL, query, query_forever
from sqlalchemy import create_engine

engine = create_engine(URL)
query(engine)
between = os.fork()
if between == 0:
    if os.fork():
        os._exit(0)
    while os.getppid() == between:
        time.sleep(0.01)
    if not BROKEN:
        engine.dispose(close=False)
    query_forever(engine, announce=True)
os.waitpid(between, 0)
time.sleep(600)

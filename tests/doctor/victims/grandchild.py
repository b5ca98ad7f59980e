"""A worker of a worker uses the engine of the process that started both."""

import os
import time

from common import BROKEN, URL, query, query_forever
from sqlalchemy import create_engine

engine = create_engine(URL)
query(engine)
if os.fork() == 0:
    engine.dispose(close=False)
    if BROKEN:
        query(engine)
    if os.fork() == 0:
        if not BROKEN:
            engine.dispose(close=False)
        query_forever(engine, announce=True)
time.sleep(600)

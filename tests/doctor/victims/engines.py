"""A worker makes an engine in each of its tasks, or one for all of them."""

import os
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

if os.fork() == 0:
    engine = create_engine(URL)
    for _ in range(12):
        if BROKEN:
            engine = create_engine(URL)
        query(engine)
    ready()
time.sleep(600)

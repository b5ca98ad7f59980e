"""A worker disposes of the engine that it inherited, and with it of its parent's connection."""

import os
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
query(engine)
if os.fork() == 0:
    engine.dispose(close=BROKEN)
    query(engine)
    ready()
time.sleep(600)

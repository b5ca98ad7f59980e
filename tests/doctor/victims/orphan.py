"""A forked worker survives its parent, and keeps the parent's session open."""

import os
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
if BROKEN:
    query(engine)
time.sleep(1.5)
if os.fork():
    os._exit(0)
query(engine)
ready(os.getpid())
time.sleep(600)

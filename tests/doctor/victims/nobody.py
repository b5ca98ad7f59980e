"""A worker that becomes another user, as with `gunicorn --user nobody`, and uses its parent's connection."""

import os
import time

from common import BROKEN, URL, query, query_forever
from sqlalchemy import create_engine

NOBODY = 65534

engine = create_engine(URL)
query(engine)
if os.fork() == 0:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    if not BROKEN:
        engine.dispose(close=False)
    query_forever(engine, announce=True)
time.sleep(600)

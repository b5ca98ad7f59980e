"""A worker is forked while another thread holds the lock of the pool, and waits for its copy."""

import os
import threading
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
query(engine)
held, let_go = threading.Event(), threading.Event()


def hold() -> None:
    with engine.pool._pool.mutex:
        held.set()
        let_go.wait()


threading.Thread(target=hold, daemon=True).start()
held.wait()
if os.fork() == 0:
    if not BROKEN:
        engine.dispose(close=False)
    ready()
    query(engine)
    time.sleep(600)
time.sleep(600)

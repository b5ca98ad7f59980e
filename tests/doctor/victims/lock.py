"""A worker that waits for a lock which a thread of its parent held at the fork."""

import os
import threading
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
lock = threading.Lock()


def hold() -> None:
    with lock:
        held.set()
        let_go.wait()


held, let_go = threading.Event(), threading.Event()
if BROKEN:
    threading.Thread(target=hold, daemon=True).start()
    held.wait()
if os.fork() == 0:
    ready()
    with lock:
        query(engine)
    while True:
        time.sleep(1)
time.sleep(600)

"""A forked worker that has nothing to do until it gets a signal. It looks like one that waits for a lock."""

import os
import signal
import threading
import time

from common import URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
query(engine)
if os.fork() == 0:
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    ready()
    done.wait()
    os._exit(0)
time.sleep(600)

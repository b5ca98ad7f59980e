"""The thread that writes a queue of log records is started before the fork, or after it."""

import logging.handlers
import os
import queue
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
listener = logging.handlers.QueueListener(queue.Queue())
if BROKEN:
    listener.start()
if os.fork() == 0:
    if not BROKEN:
        listener.start()
    query(engine)
    ready()
time.sleep(600)

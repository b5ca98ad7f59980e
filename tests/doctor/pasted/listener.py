"""A worker logs to a queue whose thread is its parent's."""

import logging.handlers
import os
import queue
import sys
import time
from logging.handlers import QueueHandler, QueueListener

from sqlalchemy import create_engine

written = []


class Target(logging.Handler):
    def emit(self, record):
        written.append(record)


handler = QueueHandler(queue.Queue())
listener = QueueListener(handler.queue, Target())
listener.start()
create_engine(os.environ["VICTIM_URL"]).connect().close()
child = os.fork()
if child == 0:
    # paste
    # end
    handler.emit(logging.makeLogRecord({}))
    end = time.monotonic() + 3
    while not written and time.monotonic() < end:
        time.sleep(0.05)
    os._exit(not written)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

"""A worker that treats its pool lives on after its parent was killed, and with it the parent's session."""

import multiprocessing
import os
import signal
import sys
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)


def work(leader, begun):
    engine.dispose(close=False)
    query(engine)
    begun.set()
    while os.getppid() == leader:
        time.sleep(0.05)
    # Longer than a worker may take to end after its parent.
    time.sleep(1.5)
    ready(os.getpid())
    time.sleep(600)


if __name__ == "__main__":
    if os.fork():
        time.sleep(600)
        sys.exit()
    query(engine)
    # The kernel counts in clock ticks: the worker is to be younger than the parent's last query.
    time.sleep(0.2)
    context = multiprocessing.get_context("fork" if BROKEN else "spawn")
    begun = context.Event()
    context.Process(target=work, args=(os.getpid(), begun)).start()
    begun.wait()
    os.kill(os.getpid(), signal.SIGKILL)

"""A worker that treats its pool lives on after its parent was killed, and with it the parent's session."""

import multiprocessing
import os
import signal
import sys
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)


def work(leader: int) -> None:
    engine.dispose(close=False)
    query(engine)
    while os.getppid() == leader:
        time.sleep(0.05)
    time.sleep(1)
    ready(os.getpid())
    time.sleep(600)


if __name__ == "__main__":
    if os.fork():
        time.sleep(600)
        sys.exit()
    query(engine)
    time.sleep(1.5)
    method = "fork" if BROKEN else "spawn"
    multiprocessing.get_context(method).Process(target=work, args=(os.getpid(),)).start()
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)

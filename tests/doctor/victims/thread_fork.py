"""A thread forks a worker, which uses its parent's engine."""

import os
import threading
import time

from common import BROKEN, URL, query, query_forever
from sqlalchemy import create_engine

engine = create_engine(URL)
query(engine)


def start() -> None:
    if os.fork() == 0:
        if not BROKEN:
            engine.dispose(close=False)
        query_forever(engine, announce=True)
    time.sleep(600)


threading.Thread(target=start).start()

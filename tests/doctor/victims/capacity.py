"""The pools of two processes can open more connections than the server accepts, or have a size for it."""

import os
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

if __name__ == "__main__":
    worker = os.fork()
    query(create_engine(URL, pool_size=900 if BROKEN else 2, max_overflow=0))
    if worker == 0:
        ready()
    time.sleep(600)

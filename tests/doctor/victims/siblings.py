"""Two workers use one connection in turns; the process that opened it has closed its descriptor."""

import os
import time
from typing import Any

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
with engine.connect() as connection:
    driver: Any = connection.connection.driver_connection
    descriptor = driver.fileno()
token, passed = os.pipe()
for _ in range(2):
    if os.fork() == 0:
        if not BROKEN:
            engine.dispose(close=False)
        while True:
            os.read(token, 1)
            query(engine)
            os.write(passed, b"x")
            time.sleep(0.02)
os.close(descriptor)
os.write(passed, b"x")
ready()
time.sleep(600)

"""Two workers draw keys from copies of one random generator, or seed it first."""

import os
import random
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
generator = random.Random()
generator.random()
drawn, draws = os.pipe()
for _ in range(2):
    if os.fork() == 0:
        if not BROKEN:
            generator.seed()
        query(engine, f"select {generator.getrandbits(32)}")
        os.write(draws, b"x")
        time.sleep(600)
for _ in range(2):
    os.read(drawn, 1)
ready()
time.sleep(600)

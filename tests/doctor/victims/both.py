"""Parent and worker use an engine in turns, or, if it is fixed, at the same time."""

import os

from common import BROKEN, URL, query, query_forever, ready
from sqlalchemy import create_engine

engine = create_engine(URL)
query(engine)
asked, answered = os.pipe(), os.pipe()
if os.fork() == 0:
    if not BROKEN:
        engine.dispose(close=False)
        query_forever(engine)
    while True:
        os.read(asked[0], 1)
        query(engine)
        os.write(answered[1], b"x")
ready()
while True:
    query(engine)
    if BROKEN:
        os.write(asked[1], b"x")
        os.read(answered[0], 1)

"""The module that `forkserver.py` preloads: it opens a connection when it is imported."""

from common import BROKEN, URL, query
from sqlalchemy import create_engine

engine = create_engine(URL)
query(engine)
if not BROKEN:
    engine.dispose()

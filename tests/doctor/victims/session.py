"""A worker goes on with the session that its parent had open."""

import os
import time

from common import BROKEN, URL, ready
from sqlalchemy import create_engine, text
from sqlalchemy.orm import scoped_session, sessionmaker

engine = create_engine(URL)
Session = scoped_session(sessionmaker(engine))
Session.execute(text("select 1"))
if not BROKEN:
    Session.remove()
if os.fork() == 0:
    if not BROKEN:
        engine.dispose(close=False)
    Session.execute(text("select 1"))
    ready()
    while True:
        Session.execute(text("select 1"))
        time.sleep(0.02)
time.sleep(600)

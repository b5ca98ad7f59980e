"""Two threads use one session, or each its own."""

import contextlib
import threading
import time

from common import BROKEN, URL, ready
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

engine = create_engine(URL)
connecting, refused = threading.Event(), threading.Event()


@event.listens_for(engine, "connect")
def connect(*_: object) -> None:
    connecting.set()
    if BROKEN:
        refused.wait()


session = Session(engine)
thread = threading.Thread(target=session.execute, args=(text("select 1"),))
thread.start()
connecting.wait()
if BROKEN:
    with contextlib.suppress(InvalidRequestError):
        session.execute(text("select 1"))
    refused.set()
else:
    Session(engine).execute(text("select 1"))
thread.join()
ready()
time.sleep(600)

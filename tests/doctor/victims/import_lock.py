"""A worker is forked while another thread imports a module, and imports it as well."""

import os
import sys
import threading
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine

importing, let_go = threading.Event(), threading.Event()


def slow() -> None:
    import imported_slowly  # noqa: F401


if __name__ == "__main__":
    sys.modules["import_lock"] = sys.modules["__main__"]
    engine = create_engine(URL)
    query(engine)
    thread = threading.Thread(target=slow, daemon=True)
    thread.start()
    importing.wait()
    if not BROKEN:
        let_go.set()
        thread.join()
    if os.fork() == 0:
        ready()
        slow()
    time.sleep(600)

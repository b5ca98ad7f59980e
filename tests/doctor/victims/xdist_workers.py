"""pytest-xdist: its workers are new programs, but what a test forks uses their connections."""

import os

from common import BROKEN, URL, query, query_forever
from served import begun, work_with
from sqlalchemy import create_engine


def test_worker() -> None:
    engine = create_engine(URL)
    query(engine)
    worker = os.fork()
    if worker == 0:
        if not BROKEN:
            engine.dispose(close=False)
        query(engine)
        begun()
        query_forever(engine)
    os.waitpid(worker, 0)


if __name__ == "__main__":
    command = ["-m", "pytest", "-p", "no:cacheprovider", "-n", "1", "-s", "--noconftest"]
    work_with([*command, "-c", os.devnull, __file__])

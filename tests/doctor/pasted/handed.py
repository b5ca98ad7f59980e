"""A session factory is handed to a worker of a fork server."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker


def work(url):
    # paste in the worker
    session = url()
    # end
    with session:
        session.execute(text("select 1"))


if __name__ == "__main__":
    engine = create_engine(os.environ["VICTIM_URL"])
    # paste pass this
    url = sessionmaker(engine)
    # end
    worker = multiprocessing.get_context("forkserver").Process(target=work, args=(url,))
    try:
        worker.start()
    except Exception:
        sys.exit(1)
    worker.join()
    sys.exit(worker.exitcode)

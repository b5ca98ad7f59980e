"""A session factory is handed to a worker of the fork server, the default of Linux from Python 3.14 on."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.orm import sessionmaker

URL = make_url(os.environ["URL"])
CONNECT_ARGS, ISOLATION_LEVEL = {}, "READ COMMITTED"
engine = None


def on_connect(connection, record):
    pass


# broken: engine
initializer = None
# end


def work(factory):
    global engine
    if initializer:
        initializer(URL)
        factory = sessionmaker(engine)
    with factory() as session:
        session.execute(text("select 1"))


if __name__ == "__main__":
    assert event
    context = multiprocessing.get_context("forkserver")
    factory = sessionmaker() if "UNBOUND" in os.environ else sessionmaker(create_engine(URL))
    worker = context.Process(target=work, args=(None if initializer else factory,))
    try:
        worker.start()
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
    worker.join()
    sys.exit(worker.exitcode)

"""A forked worker writes audit records through a queue, whose thread stayed in the parent."""

import logging
import logging.handlers
import multiprocessing
import os
import queue
import sys

from sqlalchemy import create_engine, text

engine = create_engine(os.environ["URL"])
log = logging.getLogger("audit")
log.setLevel(logging.INFO)


class ToTable(logging.Handler):
    def emit(self, record):
        with engine.begin() as connection:
            connection.execute(text("insert into audit values (:said)"), {"said": record.getMessage()})


def start_thread():
    waiting = queue.SimpleQueue()
    log.handlers = [logging.handlers.QueueHandler(waiting)]
    listener = logging.handlers.QueueListener(waiting, ToTable())
    listener.start()
    return listener


listener = None


# broken: worker
def in_worker():
    pass


# end


def work():
    engine.dispose(close=False)
    in_worker()
    log.info("by the worker")
    if listener._thread.is_alive():  # stop() would wait for ever for a thread that is not there
        listener.stop()


if __name__ == "__main__":
    with engine.begin() as connection:
        connection.execute(text("drop table if exists audit; create table audit (said text)"))
    listener = start_thread()
    log.info("by the parent")
    listener.stop()
    listener.start()
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    worker.join()
    listener.stop()
    with engine.connect() as connection:
        said = connection.execute(text("select said from audit order by 1")).scalars().all()
    print(said)
    sys.exit(0 if said == ["by the parent", "by the worker"] else 1)

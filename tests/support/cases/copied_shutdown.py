"""A server's handler of SIGTERM ends its workers; a forked worker that is terminated has the handler too."""

import multiprocessing
import os
import signal
import sys

from sqlalchemy import create_engine, text

engine = create_engine(os.environ["URL"])
context = multiprocessing.get_context("fork")
workers = []


# broken: worker
def in_worker():
    pass


# end


def shut_down(number, frame):
    for worker in workers:
        if worker.is_alive():
            worker.terminate()
    sys.exit(0)


def job(begun):
    in_worker()
    engine.dispose(close=False)
    begun.set()
    while True:
        signal.pause()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, shut_down)
    with engine.connect() as connection:
        connection.execute(text("select 1"))
    for _ in range(2):
        begun = context.Event()
        workers.append(context.Process(target=job, args=(begun,), daemon=True))
        workers[-1].start()
        begun.wait()
    workers[1].terminate()
    workers[1].join()
    print("the worker ended with", workers[1].exitcode)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    workers[0].kill()
    sys.exit(0 if workers[1].exitcode == -signal.SIGTERM else 1)

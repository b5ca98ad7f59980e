"""An asyncio server forks a worker for a job, and terminates it."""

import asyncio
import multiprocessing
import os
import signal
import sys

from sqlalchemy import create_engine, text

engine = create_engine(os.environ["URL"])


# broken: worker
def in_worker():
    pass


# end


def job(begun):
    in_worker()
    engine.dispose(close=False)
    begun.set()
    while True:
        signal.pause()


async def serve():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    worker = context.Process(target=job, args=(begun,), daemon=True)
    with engine.connect() as connection:
        connection.execute(text("select 1"))
    worker.start()
    begun.wait()
    worker.terminate()
    ended = asyncio.create_task(asyncio.to_thread(worker.join))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
    told = stopped.done()
    worker.kill()
    await ended
    stopped.cancel()
    return told


if __name__ == "__main__":
    shut_down = asyncio.run(serve())
    print("the server shuts down:", shut_down)
    sys.exit(1 if shut_down else 0)

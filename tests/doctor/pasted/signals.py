"""A server terminates a worker that it has forked from its event loop."""

import asyncio
import multiprocessing
import os
import signal
import sys
import time

from sqlalchemy import create_engine


def work(begun):
    # paste
    # end
    begun.set()
    time.sleep(600)


async def serve():
    create_engine(os.environ["VICTIM_URL"]).connect().close()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    worker = context.Process(target=work, args=(begun,), daemon=True)
    worker.start()
    begun.wait()
    worker.terminate()
    worker.join(2)
    lives = worker.is_alive()
    worker.kill()
    await asyncio.sleep(0.1)
    return lives or stop.is_set()


sys.exit(asyncio.run(serve()))

"""A server forks a worker from its event loop, and terminates it."""

import asyncio
import multiprocessing
import signal
import time

from common import BROKEN, URL, query, ready
from sqlalchemy import create_engine


def work(begun):
    if not BROKEN:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    begun.set()
    time.sleep(600)


async def serve():
    query(create_engine(URL))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    worker = context.Process(target=work, args=(begun,))
    worker.start()
    begun.wait()
    worker.terminate()
    worker.join(2)
    assert worker.is_alive() is BROKEN
    ready()
    await asyncio.sleep(600)


asyncio.run(serve())

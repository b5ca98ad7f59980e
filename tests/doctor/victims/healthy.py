"""Programs that do nothing wrong, and look as if they might."""

import asyncio
import contextlib
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from common import URL, VARIANT, query, query_forever, ready
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DisconnectionError

engine = create_engine(URL)


def idle_pool() -> None:
    """Workers hold copies of their parent's connection, which the parent uses, and wait for tasks."""
    with multiprocessing.get_context("fork").Pool(3) as pool:
        pool.map(abs, range(3))
        ready()
        query_forever(engine)


def idle_executor() -> None:
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as executor:
        list(executor.map(abs, range(4)))
        ready()
        query_forever(engine)


def busy_workers() -> None:
    """Workers compute all the time, next to a parent that queries all the time."""
    for _ in range(2):
        if os.fork() == 0:
            while True:
                sum(range(100_000))
    ready()
    query_forever(engine)


def threads() -> None:
    with ThreadPoolExecutor(4) as executor:
        for _ in range(4):
            executor.submit(query_forever, engine)
        ready()
        time.sleep(600)


def loop() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ready()
        while True:
            await loop.run_in_executor(None, query, engine)
            await asyncio.sleep(0.02)

    asyncio.run(main())


def programs() -> None:
    """A program started by `subprocess`, which inherits descriptors until it has started."""
    ready()
    while True:
        subprocess.run([sys.executable, "-S", "-c", ""], check=True, preexec_fn=os.getpid)
        query(engine)


def other_sockets() -> None:
    """A pair of sockets, both ends used by parent and worker; no PostgreSQL is behind them."""
    near, far = socket.socketpair()
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    accepted, _ = listener.accept()
    if os.fork() == 0:
        engine.dispose(close=False)
        while True:
            far.recv(1)
            client.send(b"x")
    ready()
    while True:
        near.send(b"x")
        accepted.recv(1)


def daemon() -> None:
    """The process that opened the connection forks, and leaves it to its child."""
    if os.fork():
        time.sleep(0.5)
        os._exit(0)
    time.sleep(1)
    ready(os.getpid())
    query_forever(engine)


def waiting_threads() -> None:
    """A worker with threads that wait for work."""
    if os.fork() == 0:
        engine.dispose(close=False)
        with ThreadPoolExecutor(2) as executor:
            executor.submit(query, engine).result()
            ready()
            time.sleep(600)
    time.sleep(600)


def spawned() -> None:
    worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    worker.start()
    ready()
    query_forever(engine)


def double_fork() -> None:
    """A daemon of two forks with an engine of its own, beside the process that started it and goes on."""
    if os.fork() == 0:
        if os.fork():
            os._exit(0)
        own = create_engine(URL)
        query_forever(own)
    os.wait()
    ready()
    query_forever(engine)


def generations() -> None:
    """A worker, and a worker of that, each with its own connections; all query."""
    for generation in range(3):
        if os.fork():
            break
        engine.dispose(close=False)
        query(engine)
        if generation == 2:
            ready(os.getsid(0))
    query_forever(engine)


def listening() -> None:
    """Workers take requests from a socket that they share on purpose, and have their own connections."""
    listener = socket.create_server(("127.0.0.1", 0))
    for _ in range(2):
        if os.fork() == 0:
            engine.dispose(close=False)
            while True:
                client, _ = listener.accept()
                query(engine)
                client.sendall(b"x")
                client.close()
    ready()
    while True:
        with socket.create_connection(listener.getsockname()) as client:
            client.recv(1)
        query(engine)


def inheriting_program() -> None:
    """A program that inherits all descriptors and never uses them; it computes and writes elsewhere."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            os.set_inheritable(int(name), True)
    idle = "import time\nwhile True: sum(range(10_000)); time.sleep(0.005)"
    subprocess.Popen([sys.executable, "-S", "-c", idle], close_fds=False)
    ready()
    query_forever(engine)


def recycled() -> None:
    """A pool that replaces its workers after each task; each has connections of its own."""
    context = multiprocessing.get_context("fork")
    with context.Pool(2, lambda: engine.dispose(close=False), maxtasksperchild=1) as pool:
        ready()
        while True:
            pool.apply(work)
            query(engine)


def work() -> None:
    query(engine)


def busy_thread() -> None:
    """A worker is started while another thread has a transaction open, which does not wait for the worker."""
    begun = threading.Event()

    def transaction() -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("select 1")
            begun.set()
            time.sleep(600)

    threading.Thread(target=transaction, daemon=True).start()
    begun.wait()
    multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,)).start()
    ready()
    time.sleep(600)


def checked_pid() -> None:
    """A worker that refuses its parent's connections, as a recipe of SQLAlchemy's documentation does."""
    checked = create_engine(URL)

    @event.listens_for(checked, "connect")
    def connect(connection, record):
        record.info["pid"] = os.getpid()

    @event.listens_for(checked, "checkout")
    def checkout(connection, record, proxy):
        if record.info["pid"] != os.getpid():
            record.dbapi_connection = proxy.dbapi_connection = None
            raise DisconnectionError("it belongs to another process")

    query(checked)
    if os.fork() == 0:
        query_forever(checked, announce=True)
    query_forever(checked)


if __name__ == "__main__":
    query(engine)
    globals()[VARIANT]()

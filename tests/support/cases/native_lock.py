"""A worker is started while a thread connects over TLS for the first time; its engine is its own."""

import multiprocessing
import os
import sys
import threading
from pathlib import Path

from sqlalchemy import create_engine, text

# broken: context
context = multiprocessing.get_context("fork")
# end


def work(url):
    with create_engine(url).connect() as connection:
        connection.execute(text("select 1"))


def wait_channel(task):
    return Path("/proc", *task, "wchan").read_text()


if __name__ == "__main__":
    url = os.environ["URL"]
    configuration = Path(os.environ["TMPDIR"], "openssl.cnf")
    os.mkfifo(configuration)
    os.environ["OPENSSL_CONF"] = str(configuration)
    thread = threading.Thread(target=work, args=(url,))
    thread.start()
    while "wait_for_partner" not in wait_channel(("self", "task", str(thread.native_id))):
        assert thread.is_alive()
    del os.environ["OPENSSL_CONF"]
    worker = context.Process(target=work, args=(url,), daemon=True)
    worker.start()
    with configuration.open("w"):
        pass
    thread.join()
    if context.get_start_method() != "fork":
        worker.join()  # nothing is held: it ends, however slow the machine is
    while worker.is_alive() and "futex" not in wait_channel((str(worker.pid),)):
        worker.join(0.1)
    hangs = worker.is_alive()
    if hangs:
        worker.join(2)  # still there: nothing in this process holds the lock any longer
        hangs = worker.is_alive()
    worker.kill()
    print("psycopg2.connect() hangs in the worker" if hangs else "the worker has connected")
    sys.exit(1 if hangs else 0)

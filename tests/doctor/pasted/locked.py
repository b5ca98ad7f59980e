"""A worker is forked while a thread of its parent holds a lock of the driver's libraries, and connects."""

import contextlib
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg2


def accept(listener):
    while True:
        client, _ = listener.accept()
        client.recv(8)
        client.send(b"S")
        client.close()


def connect(port):
    with contextlib.suppress(psycopg2.OperationalError):
        psycopg2.connect(host="127.0.0.1", port=port, user="nobody", sslmode="require", gssencmode="disable")


if __name__ == "__main__":
    # paste
    context = multiprocessing.get_context("fork")
    # end
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    with tempfile.TemporaryDirectory() as directory:
        # OpenSSL reads it while libpq holds its lock: as long as there is nothing to read.
        configuration = os.path.join(directory, "openssl.cnf")
        os.mkfifo(configuration)
        os.environ["OPENSSL_CONF"] = configuration
        thread = threading.Thread(target=connect, args=(port,), daemon=True)
        thread.start()
        while "wait_for_partner" not in Path(f"/proc/self/task/{thread.native_id}/wchan").read_text():
            time.sleep(0.02)
        del os.environ["OPENSSL_CONF"]
        worker = context.Process(target=connect, args=(port,), daemon=True)
        worker.start()
        with open(configuration, "w"):
            pass
        worker.join(8 if context.get_start_method() == "fork" else 60)
        hangs = worker.is_alive()
        worker.kill()
    sys.exit(hangs)
